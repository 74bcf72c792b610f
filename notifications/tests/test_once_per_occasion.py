"""NTF-2: one message per person and occasion."""

from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.signals import booking_confirmed
from bookings.tests.factories import a_booking
from eventhub_config.tests.races import at_once
from events.tests.factories import NOW
from notifications.models import Notification
from notifications.services import notify
from users.models import CustomUser
from users.tests.factories import a_user


def tell(user: CustomUser, username: str = "ada") -> bool:
    context = {"username": username}
    return notify(user_id=user.pk, kind="user_registered", dedupe_key="greeting:1", context=context, data={}, now=NOW)


@pytest.mark.django_db
def test_a_second_call_changes_nothing() -> None:
    user = a_user()

    first, second = tell(user), tell(user, username="somebody else")

    assert (first, second) == (True, False)
    message = Notification.objects.get(dedupe_key="greeting:1")
    assert message.body == "Your account ada is ready. Find an event and book your seat."


@pytest.mark.django_db
def test_a_second_call_leaves_the_transaction_of_its_cause_whole() -> None:
    user = a_user()
    tell(user)

    with transaction.atomic():
        tell(user)
        CustomUser.objects.filter(pk=user.pk).update(first_name="Changed")

    user.refresh_from_db()
    assert user.first_name == "Changed"


@pytest.mark.django_db
def test_it_costs_one_statement() -> None:
    user = a_user()

    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        tell(user)
        tell(user)

    assert [statement["sql"].split()[0] for statement in statements] == ["INSERT", "INSERT"]


@pytest.mark.django_db
def test_a_signal_sent_twice_tells_once() -> None:
    booking = a_booking()

    booking_confirmed.send(sender=Booking, booking=booking, now=NOW)

    assert Notification.objects.filter(dedupe_key=f"booking.confirmed:{booking.pk}").count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_write_one_row() -> None:
    user = a_user()

    written = at_once([partial(tell, user)] * 20)

    assert sorted(written) == [False] * 19 + [True]
    assert Notification.objects.filter(dedupe_key="greeting:1").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_tells_nobody() -> None:
    user = a_user()

    with transaction.atomic():
        tell(user)
        transaction.set_rollback(True)

    assert not Notification.objects.filter(dedupe_key="greeting:1").exists()
    assert tell(user)
