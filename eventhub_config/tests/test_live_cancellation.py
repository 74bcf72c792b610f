"""Cancelling an event with more bookings than one run of a sweep takes, while its workers are killed in between."""

import pytest
from celery import Celery
from django.db import connection
from django.utils import timezone

from bookings.models import Booking, Ticket
from bookings.tests.factories import many_bookings
from eventhub_config.shared.periodic import BATCH
from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.test_live_races import findings, person
from events.models import Event
from events.tests.factories import an_event
from notifications.models import Notification

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

BOOKINGS = BATCH + (100 if connection.vendor == "sqlite" else 500)


def run_the_sweep(environment: dict[str, str]) -> None:
    """Do what Beat does every minute."""
    beat = Celery(broker=environment["REDIS_URL"])
    beat.conf.broker_transport_options = {"global_keyprefix": f"{environment['REDIS_PREFIX']}:"}
    queue = f"{environment['REDIS_PREFIX']}.work"
    beat.send_task("eventhub.run_job", kwargs={"name": "sweep_cancelled_events"}, queue=queue)


def active() -> int:
    return Booking.objects.active().count()


def test_every_booking_is_closed_once_whoever_dies_over_it(process_environment: dict[str, str]) -> None:
    """EVT-2, OPS-5: no booking is left, none is closed twice, everybody is told once."""
    event = an_event(now=timezone.now())
    many_bookings(event, BOOKINGS, now=timezone.now())
    environment = own_queue(process_environment) | {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}

    with web(environment) as server:
        organizer = person(server.url, event.organizer)
        assert organizer.send("POST", f"/api/events/{event.pk}/cancel/", {"reason": "Storm"}).status == 200
    left_behind = []
    for share in (0.9, 0.7):
        with worker(environment) as doomed:
            wait_until(lambda share=share: active() < BOOKINGS * share, seconds=120)
            doomed.kill()
        left_behind.append(active())
    with worker(environment):
        run_the_sweep(environment)
        wait_until(lambda: active() <= BOOKINGS - BATCH or not active(), seconds=240)
        run_the_sweep(environment)
        wait_until(lambda: not active(), seconds=240)

    assert all(0 < count < BOOKINGS for count in left_behind)
    assert Booking.objects.filter(event=event, status="cancelled", cancelled_at__isnull=False).count() == BOOKINGS
    assert not Ticket.objects.exclude(status="cancelled").exists()
    told = Notification.objects.filter(kind="booking_cancelled")
    assert told.count() == told.values("user").distinct().count() == BOOKINGS
    assert Event.objects.get(pk=event.pk).seats_taken == 0
    assert findings() == []
