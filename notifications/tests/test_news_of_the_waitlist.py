"""Those who wait are told when it is their turn, and when it is over; each occasion once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from bookings.models import Waitlist
from bookings.services import decline_offer, join_waitlist, lapse_offer, leave_waitlist, tend_waitlist
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer
from events.availability import WaitlistOpen
from events.services import cancel_event
from events.tests.factories import NOW, START
from notifications.models import Notification
from notifications.services import deliver
from users.models import UserProfile

pytestmark = pytest.mark.django_db


def told(entry: Waitlist) -> list[str]:
    """Return the kinds of messages to whoever has a place, in the order in which they were written."""
    return list(Notification.objects.filter(user=entry.user).order_by("pk").values_list("kind", flat=True))


def body(entry: Waitlist, kind: str) -> str:
    return Notification.objects.get(user=entry.user, kind=kind).body


def test_a_place_is_told() -> None:
    """BKG-5, NTF-1"""
    event = a_full_event(capacity=3)
    entry = a_place(event, seats=3)

    assert told(entry) == ["waitlist_joined"]
    message = Notification.objects.get(user=entry.user)
    assert (message.type, message.title) == ("waitlist", "You are on the waitlist: Zero to API")
    assert message.data == {"waitlist_entry": entry.pk, "event": event.pk}
    assert message.body == (
        "We will tell you as soon as we can offer you 3 seats at “Zero to API”. You can leave the waitlist at any time."
    )


def test_an_offer_is_told_with_its_deadline_by_the_events_clock() -> None:
    entry = an_offer()

    assert told(entry) == ["waitlist_joined", "seat_offered"]
    assert body(entry, "seat_offered") == (
        "We hold a seat at “Zero to API” for you until Tue 2 March 2027, 13:00 (Europe/Berlin, UTC+01:00). "
        "Accept or decline the offer by then; after that it goes to the next."
    )


def test_an_offer_is_mailed_though_mails_about_waitlists_are_not_wanted(mailoutbox: list[object]) -> None:
    entry = an_offer()
    UserProfile.objects.filter(user=entry.user).update(notification_preferences={"waitlist": False})

    for notification in Notification.objects.filter(user=entry.user).order_by("pk"):
        deliver(notification_id=notification.pk, now=NOW)

    assert [mail.subject for mail in mailoutbox] == ["Your turn: Zero to API"]  # type: ignore[attr-defined]


def test_the_mail_says_when_and_where_and_leads_to_the_offer(
    mailoutbox: list[EmailMultiAlternatives], settings: Any
) -> None:
    settings.FRONTEND_URL = "https://tickets.example.org"
    entry = an_offer()

    deliver(notification_id=Notification.objects.get(user=entry.user, kind="seat_offered").pk, now=NOW)

    (mail,) = mailoutbox
    assert "Event: Zero to API\nWhen: Wed 31 March 2027, 14:00 to 17:00 (Europe/Berlin, UTC+02:00)\n" in mail.body
    assert "Where: Town Hall\nSeats: 1\n" in mail.body
    assert f"Accept or decline: https://tickets.example.org/waitlist/{entry.pk}" in mail.body


def test_a_lapsed_offer_is_told_once() -> None:
    entry = an_offer()

    for _ in range(2):
        lapse_offer(entry_id=entry.pk, now=NOW + timedelta(days=1))

    assert told(entry) == ["waitlist_joined", "seat_offered", "offer_lapsed"]


def test_whoever_declines_or_leaves_is_told_nothing_they_know() -> None:
    declined, left = an_offer(), a_place(a_full_event())

    decline_offer(entry_id=declined.pk, actor=declined.user, now=NOW)
    leave_waitlist(entry_id=left.pk, actor=left.user, now=NOW)

    assert told(declined) == ["waitlist_joined", "seat_offered"]
    assert told(left) == ["waitlist_joined"]


def test_whoever_is_removed_is_told() -> None:
    entry = a_place(a_full_event())

    leave_waitlist(entry_id=entry.pk, actor=entry.event.organizer, now=NOW)

    assert body(entry, "waitlist_closed") == (
        "You are not on the waitlist of “Zero to API” any more. The organizer removed you. Nothing was charged."
    )


@pytest.mark.parametrize(
    ("cancelled", "reason"), [(True, "The event was cancelled."), (False, "Registration is over.")]
)
def test_everybody_is_told_when_the_queue_closes(cancelled: bool, reason: str) -> None:
    event = a_full_event(capacity=2)
    entries = [a_place(event), a_place(event)]
    a_free_seat(event)  # one of them holds an offer
    if cancelled:
        cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    for _ in range(2):
        tend_waitlist(event_id=event.pk, now=NOW if cancelled else START)

    for entry in entries:
        assert told(entry).count("waitlist_closed") == 1
        assert f" {reason} " in body(entry, "waitlist_closed")


def test_a_second_place_after_the_first_is_told_again() -> None:
    entry = a_place(a_full_event())
    leave_waitlist(entry_id=entry.pk, actor=entry.user, now=NOW)

    join_waitlist(user=entry.user, event_id=entry.event_id, now=NOW)

    assert told(entry) == ["waitlist_joined", "waitlist_joined"]


def test_whoever_cannot_book_for_the_queue_is_told_nothing() -> None:
    event = a_full_event(capacity=2)
    a_place(event, seats=2)
    a_free_seat(event)
    before = Notification.objects.count()

    with pytest.raises(WaitlistOpen):
        a_booking(event=event)

    assert Notification.objects.count() == before
