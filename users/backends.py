"""Signing in with a user name or an e-mail address, for Django's own log-in (the admin)."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled

from eventhub_config.shared.client_address import client_address
from users.models import CustomUser
from users.services.signing_in import EmailNotVerified, find_by_credentials


class EmailOrUsernameBackend(ModelBackend):
    """Asks for the password under the same limits as the API does."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> CustomUser | None:
        if not username or password is None:
            return None
        address = client_address(request) if request is not None else None
        try:
            return find_by_credentials(login=username, password=password, address=address, now=timezone.now())
        except (Throttled, EmailNotVerified) as error:
            # The log-in form then says what it says to a wrong password.
            raise PermissionDenied from error
