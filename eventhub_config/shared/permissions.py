"""Who may call an operation.

What a person may see or change among rows is the queryset's and the service's business.
"""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class DenyByDefault(BasePermission):
    """An operation that names nobody is for nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Anyone(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return True


class SignedIn(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(self.person(request).is_authenticated)

    @staticmethod
    def person(request: Request) -> Any:
        return request.user


class OrganizerOrAdmin(SignedIn):
    message = "Only organizers can do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and bool(self.person(request).runs_events)


class AdminOnly(SignedIn):
    message = "Only administrators can do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and bool(self.person(request).is_platform_admin)
