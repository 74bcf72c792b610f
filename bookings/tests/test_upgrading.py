"""What events and bookings of the version before are given when a database is upgraded."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.models import Event
from events.services import update_event
from events.services.lifecycle import CurrencyFrozen
from events.tests.factories import NOW, an_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def test_the_currency_stays_fixed_where_every_booking_was_cancelled() -> None:
    """ARCHITECTURE 2: frozen at the first booking."""
    first = a_booking(now=NOW)
    event = first.event
    cancel_booking(booking_id=first.pk, actor=first.user, now=NOW)
    second = a_booking(event=event, now=NOW + timedelta(minutes=1))
    cancel_booking(booking_id=second.pk, actor=second.user, now=NOW + timedelta(minutes=1))
    never_booked = an_event()
    Event.objects.update(first_booked_at=None)  # as the version before left it

    import_module("bookings.migrations.0006_first_booking_of_an_event").fill(apps, connection.schema_editor())

    assert Event.objects.get(pk=event.pk).first_booked_at == NOW
    assert Event.objects.get(pk=never_booked.pk).first_booked_at is None
    with pytest.raises(CurrencyFrozen):
        update_event(event_id=event.pk, changes={"currency": "SEK"}, actor=event.organizer, now=NOW)
