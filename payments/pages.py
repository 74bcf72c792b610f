"""The page of the mock gateway where a person finishes a payment that asks for them.

A real gateway has such pages of its own, somewhere else; ours stands in for them. Whoever knows the payment's
unguessable reference may decide it, as with the link that a real gateway gives out.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect

from eventhub_config.shared import money
from eventhub_config.shared.actors import System
from eventhub_config.shared.errors import Busy, InvalidTransition, MethodNotAllowed, database_was_lost, plain_problem
from payments.models import MockGatewayEntry
from payments.services import mock_gateway

PERSON = System("mock_gateway_page")


@method_decorator(csrf_protect, name="dispatch")
class MockGatewayPage(View):
    """Shows what is to be paid, and takes a yes or a no. Looking changes nothing."""

    http_method_names = ("get", "head", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.PAYMENT_GATEWAY != "mock":
            raise Http404
        try:
            return super().dispatch(request, *args, **kwargs)
        except (Busy, DatabaseProblem) as error:
            if not isinstance(error, Busy) and not database_was_lost(error):
                raise
            return plain_problem(Busy(retry_after=2))

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        return _page(request, mock_gateway.settle(entry=_entry(reference), now=timezone.now()))

    def post(self, request: HttpRequest, reference: str) -> HttpResponse:
        _entry(reference)
        decision = request.POST.get("decision")
        if decision not in {"approve", "decline"}:
            return _page(request, _entry(reference), status=400)
        try:
            entry = mock_gateway.decide_by_person(
                reference=reference, approve=decision == "approve", actor=PERSON, now=timezone.now()
            )
        except InvalidTransition:
            return _page(request, _entry(reference), status=409)
        back = _way_back(entry)
        if not back:
            return _page(request, entry)
        return HttpResponse(status=303, headers={"Location": back, "Cache-Control": "no-store"})

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return plain_problem(MethodNotAllowed(headers={"Allow": "GET, HEAD, POST"}))


def _entry(reference: str) -> MockGatewayEntry:
    entry = MockGatewayEntry.objects.filter(reference=reference, kind=MockGatewayEntry.Kind.CHARGE).first()
    if entry is None:
        raise Http404
    return entry


def _way_back(entry: MockGatewayEntry) -> str:
    """Return the page of our front end that the person came from, if there is one.

    A page that redirects anywhere else helps thieves; and the API has no such page to go back to.
    """
    front_end = settings.FRONTEND_URL
    return entry.return_url if front_end and entry.return_url.startswith(f"{front_end}/") else ""


def _page(request: HttpRequest, entry: MockGatewayEntry, status: int = 200) -> HttpResponse:
    back = _way_back(entry)
    context = {
        "amount": f"{money.as_text(entry.amount, entry.currency)} {entry.currency}",
        "entry": entry,
        "back": back,
    }
    answer = render(request, "payments/mock_gateway.html", context, status=status)
    # Browsers hold the place that a form is redirected to against `form-action` as well.
    there = urlsplit(back)
    places = " ".join(["'self'", *([f"{there.scheme}://{there.netloc}"] if back else [])])
    answer["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; form-action {places}; base-uri 'none'; frame-ancestors 'none'"
    )
    answer["Cache-Control"] = "no-store"
    return answer
