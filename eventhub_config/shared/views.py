"""The base of every ViewSet: access by action, one clock per request."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.filtering import refuse_unknown_parameters
from eventhub_config.shared.permissions import DenyByDefault


class ApiViewSet(GenericViewSet[Any]):
    """A ViewSet whose ``access`` names who may call each action; what is not named is denied.

    ``problems`` names, per action, the refusals its service can raise; the OpenAPI document lists their codes.
    """

    access: ClassVar[Mapping[str, type[BasePermission]]] = {}
    problems: ClassVar[Mapping[str, tuple[type[DomainError], ...]]] = {}
    # Per action, what its 409s look like where they carry members of their own.
    problem_shapes: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    # The actions whose query strings filter and page; the others take none.
    lists: ClassVar[frozenset[str]] = frozenset({"list"})
    lookup_value_regex = "[0-9]{1,18}"
    # No OPTIONS: the document describes everything, and CorsMiddleware answers a browser's preflight before this.
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def get_permissions(self) -> list[Any]:
        if self.action in {None, "metadata"}:  # no such method here: let it become a 405
            return []
        return [self.access.get(self.action, DenyByDefault)()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action and self.action not in self.lists:
            refuse_unknown_parameters(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        made = super().finalize_response(request, response, *args, **kwargs)
        if self.action == "create" and made.status_code in {201, 202} and "id" in response.data:
            made["Location"] = f"{request.path}{response.data['id']}/"
        return made

    def get_object(self) -> Any:
        """Return the row that the path names, if the caller may see it."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self.check_throttles(request)  # a bad token is no way around the limit of its address
            raise

    @property
    def caller(self) -> Any:
        """The person who is signed in. (Operations that are open to anyone look at ``request.user``.)"""
        return self.request.user

    @cached_property
    def now(self) -> datetime:
        """The moment of this request."""
        return timezone.now()
