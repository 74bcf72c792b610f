"""What gateways told is shown in the admin to administrators, and tried again there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from events.tests.factories import NOW
from payments.models import GatewayCallback, MockGatewayMessage
from payments.services import process_callback
from payments.tests.callbacks import a_body, post
from payments.tests.factories import a_payment, a_processed_payment
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/admin/payments/gatewaycallback/"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def given_up() -> GatewayCallback:
    assert post(a_body(a_payment(token="tok_decline"))).status_code == 200
    GatewayCallback.objects.update(parked_at=NOW, attempts=8, last_error="no answer")
    return GatewayCallback.objects.get()


def test_shows_administrators_what_was_said() -> None:
    """ADM-1"""
    callback = given_up()

    page = signed_in(an_admin()).get(f"{PAGE}{callback.pk}/change/").content.decode()

    assert "charge.succeeded" in page
    assert "&quot;id&quot;: &quot;evt_1&quot;" in page
    assert "no answer" in page


def test_finds_what_needs_attention() -> None:
    given_up()
    post(a_body(event_id="evt_2"))

    page = signed_in(an_admin()).get(f"{PAGE}?needs_attention=yes").content.decode()

    assert page.count("field-type") == 1


def test_takes_up_again_what_was_given_up() -> None:
    """ADM-3"""
    callback, later = given_up(), NOW + timedelta(hours=1)
    chosen = {"action": "try_again_selected", "_selected_action": [callback.pk]}

    signed_in(an_admin()).post(PAGE, chosen)

    callback.refresh_from_db()
    assert (callback.parked_at, callback.attempts, callback.next_attempt_at) == (None, 1, NOW)
    process_callback(callback_id=callback.pk, now=later)
    callback.refresh_from_db()
    assert (callback.result, callback.processed_at) == ("no_change", later)


def test_is_closed_by_whoever_has_seen_to_it() -> None:
    """ADM-3: what its gateway and our rows do not agree on would only be given up again."""
    callback, admin = given_up(), an_admin()
    chosen = {"action": "set_aside_selected", "_selected_action": [callback.pk]}

    signed_in(admin).post(PAGE, chosen)

    callback.refresh_from_db()
    assert (callback.result, callback.processed_at, callback.parked_at) == ("set_aside", NOW, None)
    assert callback.last_error.startswith("no answer (Looked at by ")
    signed_in(admin).post(PAGE, chosen)  # there is nothing to close any more
    callback.refresh_from_db()
    assert callback.last_error.count("Looked at") == 1


def test_is_nothing_for_organizers() -> None:
    """ADM-2"""
    callback = given_up()
    client = signed_in(an_organizer())

    for path in (PAGE, f"{PAGE}{callback.pk}/change/", "/admin/payments/mockgatewaymessage/"):
        assert client.get(path).status_code in {302, 403}, path


def test_shows_what_the_mock_gateway_told(settings: Any) -> None:
    settings.MOCK_GATEWAY_CALLBACK_URL = "http://localhost/"
    a_processed_payment()
    message = MockGatewayMessage.objects.get()
    client = signed_in(an_admin())

    assert client.get("/admin/payments/mockgatewaymessage/").status_code == 200
    page = client.get(f"/admin/payments/mockgatewaymessage/{message.pk}/change/").content.decode()
    assert message.event_id in page
