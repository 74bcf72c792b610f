"""Pages for the links in mails, where no front end has some of its own.

Looking changes nothing: scanners of mails follow every link. What acts is a form that sends the link's token; nothing
but that token counts, no cookie, so that another site's form could send only what its maker may do anyway. Hence no
CSRF token: the browser would send no origin with it from a page that keeps its address to itself.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.exceptions import Throttled

from eventhub_config.shared.client_address import client_address
from eventhub_config.shared.errors import Busy, DomainError, MethodNotAllowed, database_was_lost, plain_problem
from users import services
from users.serializers import (
    AddressConfirmSerializer,
    LinkTokenSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
)
from users.services.links import LinkNotValid
from users.services.registering import UsernameTaken

logger = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    # The token in the address goes to nobody.
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


@method_decorator(csrf_exempt, name="dispatch")
class AccountPage(View):
    """One form. ``fields`` are what a person types, with the label and kind of each."""

    http_method_names = ("get", "head", "post")
    title: ClassVar[str]
    question: ClassVar[str]
    button: ClassVar[str]
    done: ClassVar[str]
    fields: ClassVar[Mapping[str, tuple[str, str, str]]] = {}  # name -> label, type, autocomplete
    body: ClassVar[type[serializers.Serializer[Any]]] = LinkTokenSerializer

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.form(request, token=request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        sent = {name: value for name, value in request.POST.items() if value}
        body = self.body(data=sent)
        if not body.is_valid():
            more = USERNAME if "username" in body.errors else None
            return self.form(request, token=token, problems=_messages(body.errors), more=more, status=400)
        try:
            self.act(request, body.validated_data)
        except UsernameTaken:
            problem = "Somebody has this username by now. Choose another one."
            return self.form(request, token=token, problems=[problem], more=USERNAME, status=409)
        except DomainError as error:
            return self.refused(request, token, error)
        except DatabaseProblem as error:
            if not database_was_lost(error):
                raise
            logger.error("The database refused or was lost: %s", error)
            return self.refused(request, token, Busy(retry_after=2))
        except Throttled as error:
            answer = self.form(request, token=token, problems=["Too many attempts. Try again later."], status=429)
            answer["Retry-After"] = str(max(1, int(getattr(error, "wait", None) or 1)))
            return answer
        return self.page(request, {"done": self.done})

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return plain_problem(MethodNotAllowed(headers={"Allow": "GET, HEAD, POST"}))

    def act(self, request: HttpRequest, body: dict[str, Any]) -> None:
        """Do what the page is for, by the service that the API calls too. Each page has its own."""
        raise NotImplementedError

    def refused(self, request: HttpRequest, token: str, error: DomainError) -> HttpResponse:
        problems = [item["message"] for item in error.errors] or [error.title]
        if isinstance(error, LinkNotValid):  # trying again cannot help
            answer = self.page(request, {"problems": problems}, error.status)
        else:
            answer = self.form(request, token=token, problems=problems, status=error.status)
        for name, value in error.headers.items():
            answer[name] = value
        return answer

    def form(
        self,
        request: HttpRequest,
        *,
        token: str,
        problems: list[str] | None = None,
        more: Mapping[str, tuple[str, str, str]] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        fields = [(name, *about) for name, about in {**self.fields, **(more or {})}.items()]
        context = {"question": self.question, "button": self.button, "fields": fields, "token": token}
        return self.page(request, context | {"problems": problems or []}, status)

    def page(self, request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
        answer = render(request, "users/account_page.html", {"title": self.title} | context, status=status)
        for name, value in HEADERS.items():
            answer[name] = value
        return answer


USERNAME = {"username": ("Another username", "text", "username")}


def _messages(errors: Any) -> list[str]:
    """Return what a person can mend; a missing token is none of it."""
    told = [str(message) for name, messages in errors.items() if name != "token" for message in messages]
    return told or ["This link is not complete. Open it from the mail again, or copy all of it."]


class VerifyEmailPage(AccountPage):
    title = "Confirm your e-mail address"
    question = "Use this button to confirm that you read mails at this address."
    button = "Confirm this address"
    done = "Your e-mail address is confirmed. You can sign in now."
    body = AddressConfirmSerializer

    def act(self, request: HttpRequest, body: dict[str, Any]) -> None:
        services.confirm_address(token=body["token"], username=body.get("username"), now=timezone.now())


class ConfirmEmailPage(AccountPage):
    title = "Use your new e-mail address"
    question = "Use this button to have this address for your account from now on."
    button = "Use this address"
    done = "Your e-mail address has been changed."

    def act(self, request: HttpRequest, body: dict[str, Any]) -> None:
        services.confirm_email_change(token=body["token"], now=timezone.now())


class ResetPasswordPage(AccountPage):
    title = "Set a new password"
    question = "You will be signed out everywhere."
    button = "Set this password"
    done = "Your new password is set. You can sign in with it now."
    fields: ClassVar = {"new_password": ("New password", "password", "new-password")}
    body = PasswordResetConfirmSerializer

    def act(self, request: HttpRequest, body: dict[str, Any]) -> None:
        services.reset_password(token=body["token"], new_password=body["new_password"], now=timezone.now())


class ForgotPasswordPage(AccountPage):
    title = "Forgot your password?"
    question = "We mail you a link to set a new one."
    button = "Send me a link"
    done = "If there is such an account, a mail is on its way to its address."
    fields: ClassVar = {"username": ("Username or e-mail address", "text", "username")}
    body = PasswordResetSerializer

    def act(self, request: HttpRequest, body: dict[str, Any]) -> None:
        login = body.get("username") or body["email"]
        services.request_password_reset(login=login, address=client_address(request), now=timezone.now())


PAGES: Mapping[str, Callable[..., HttpResponseBase]] = {
    "verify-email": VerifyEmailPage.as_view(),
    "confirm-email": ConfirmEmailPage.as_view(),
    "reset-password": ResetPasswordPage.as_view(),
    "forgot-password": ForgotPasswordPage.as_view(),
}
