"""Money that goes back, over HTTP and through workers that are killed over it: each refund once."""

import os
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from bookings.models import Booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.periodic import all_jobs
from eventhub_config.tests.crowd.trouble import ShortMinutes
from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.test_live_races import all_at_once, findings, person
from events.tests.factories import an_event
from notifications.models import Notification
from payments.models import MockGatewayEntry, Payment, Refund
from payments.tests.factories import a_paid_booking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

PAID_BOOKINGS = int(os.environ.get("EVENTHUB_PAID_BOOKINGS", "100"))
KILLS = 5
PATIENCE_SECONDS = 900


def quiet(environment: dict[str, str]) -> dict[str, str]:
    return own_queue(environment) | {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}


def settle_everything() -> None:
    """Run every job until nothing is owed, when all claims of dead workers have run out."""
    later = timezone.now() + timedelta(minutes=10)
    for _ in range(3 + PAID_BOOKINGS // 250):
        for job in all_jobs().values():
            job.run(later)


def test_an_event_is_cancelled_while_workers_die_over_its_refunds(process_environment: dict[str, str]) -> None:
    """PAY-5, RELIABILITY C5, C11: one refund and one message each, in our rows and in the gateway's books."""
    now = timezone.now()
    event = an_event(now=now, price="25.00", capacity=PAID_BOOKINGS)
    for _ in range(PAID_BOOKINGS):
        a_paid_booking(booking=a_booking(event=event, now=now), now=now)
    environment = quiet(process_environment) | {"MOCK_GATEWAY_DELAY_MS": "50"}

    with web(environment) as server:
        organizer = person(server.url, event.organizer)
        assert organizer.send("POST", f"/api/events/{event.pk}/cancel/", {"reason": "Storm"}).status == 200
    done = []
    for kill in range(1, KILLS + 1):
        with worker(environment) as doomed:
            let_minutes_pass(environment, until_done=PAID_BOOKINGS * kill // (KILLS + 1))
            doomed.kill()
        done.append(Refund.objects.filter(status="completed").count())
    settle_everything()

    returned = MockGatewayEntry.objects.filter(kind="refund", succeeded=True)
    assert all(0 < count < PAID_BOOKINGS for count in done), done
    assert Refund.objects.count() == Refund.objects.filter(status="completed").count() == PAID_BOOKINGS
    assert returned.count() == returned.values("charge_reference").distinct().count() == PAID_BOOKINGS
    assert returned.aggregate(sum=Sum("amount"))["sum"] == PAID_BOOKINGS * Decimal("25.00")
    assert set(Payment.objects.values_list("status", flat=True)) == {"refunded"}
    for kind in ("booking_cancelled", "refund_completed"):
        told = Notification.objects.filter(kind=kind)
        assert told.count() == told.values("user").distinct().count() == PAID_BOOKINGS
    assert findings() == []


def let_minutes_pass(environment: dict[str, str], *, until_done: int) -> None:
    """Do Beat's part, which finds again what died with a worker, until so many refunds are completed."""
    beat, deadline = ShortMinutes(environment), time.monotonic() + PATIENCE_SECONDS
    while Refund.objects.filter(status="completed").count() < until_done:
        assert time.monotonic() < deadline
        beat.act()
        time.sleep(1)


def test_twenty_full_refunds_at_once_are_one(process_environment: dict[str, str]) -> None:
    """RELIABILITY C4: of a part that fits once, and of all that is left."""
    now = timezone.now()
    bookings = [a_paid_booking(booking=a_booking(price="25.00", now=now), now=now) for _ in range(2)]
    with web(quiet(process_environment), workers=4) as server:
        answers = []
        for booking in bookings:
            organizer = person(server.url, booking.event.organizer)
            path = f"/api/payments/{Payment.objects.get(booking=booking).pk}/refund/"
            bodies: list[dict[str, Any]] = [{"reason": "Rain", "amount": "15.00"}, {"reason": "Rain"}]
            for body in bodies:
                given = all_at_once([partial(organizer.send, "POST", path, body)] * 20)
                answers.append(sorted((it.status, it.code) for it in given))
    settle_everything()

    one = [(201, ""), *[(409, "refund_exceeds_payment")] * 19]
    assert answers == [one] * 4
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("10.00")] * 2 + [Decimal("15.00")] * 2
    assert set(Booking.objects.values_list("status", flat=True)) == {"cancelled"}
    assert findings() == []


def test_twenty_payments_from_two_tabs_are_one_charge(process_environment: dict[str, str]) -> None:
    """RELIABILITY C2"""
    now = timezone.now()
    booking = a_booking(price="25.00", now=now)
    environment = quiet(process_environment) | {"MOCK_GATEWAY_DELAY_MS": "200"}
    with web(environment, workers=4) as server, worker(environment):
        buyer = person(server.url, booking.user)
        body = {"booking": booking.pk, "token": "tok_success"}
        answers = all_at_once([lambda: buyer.send("POST", "/api/payments/", body)] * 20)
        wait_until(lambda: Booking.objects.get().status == "confirmed", seconds=60)
        late = buyer.send("POST", "/api/payments/", body)
    settle_everything()

    assert [it.status for it in answers].count(202) == 1
    assert {it.code for it in answers if it.status != 202} <= {"payment_in_progress", "nothing_to_pay"}
    assert (late.status, late.code) == (409, "nothing_to_pay")
    assert MockGatewayEntry.objects.filter(kind="charge", succeeded=True).count() == 1
    assert not Refund.objects.exists()
    assert findings() == []
