"""What people are told who are given a booking: everything they need, and a link if they never signed in (BKG-7)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.mail import EmailMultiAlternatives

from bookings.models import Booking
from bookings.services import give_booking
from bookings.services.complimentary import Gift
from events.tests.factories import NOW, an_event
from notifications.models import Notification
from notifications.services import deliver
from users.models import CustomUser, UserProfile
from users.services import reset_password
from users.tests.factories import PASSWORD, a_user, an_organizer

pytestmark = pytest.mark.django_db

GUEST = "guest@example.org"


def given(email: str = GUEST, quantity: int = 1) -> Booking:
    event = an_event(organizer=an_organizer(first_name="Olga", last_name="Host"))
    gift = Gift(email=email, name="Grete", quantity=quantity, reason="Internal: sponsor")
    return give_booking(event_id=event.pk, gift=gift, actor=event.organizer, now=NOW)


def mailed(mailoutbox: list[EmailMultiAlternatives], later: timedelta = timedelta(0)) -> EmailMultiAlternatives:
    message = Notification.objects.latest("pk")
    deliver(notification_id=message.pk, now=NOW + later)
    [mail] = mailoutbox
    return mail


def link_in(mail: EmailMultiAlternatives) -> str:
    return next(line.strip() for line in str(mail.body).splitlines() if "token=" in line).split()[-1]


def test_somebody_with_an_account_is_told_of_the_booking(mailoutbox: list[EmailMultiAlternatives]) -> None:
    guest = a_user(email=GUEST)

    booking = given(quantity=2)
    mail = mailed(mailoutbox)

    message = Notification.objects.get(user=guest)
    assert (message.kind, message.dedupe_key) == ("booking_given", f"booking.given:{booking.pk}")
    assert message.data == {"booking": booking.pk, "event": booking.event_id}
    assert (mail.to, mail.subject) == ([GUEST], "You are invited: Zero to API")
    assert (
        f"Olga Host has booked 2 seats for you at “Zero to API”, free of charge. Your booking is {booking.reference}"
        in " ".join(str(mail.body).split())
    )
    assert "token=" not in mail.body
    assert "sponsor" not in mail.body


def test_somebody_without_one_gets_a_link_that_sets_a_password(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = given()

    mail = mailed(mailoutbox)
    link = urlsplit(link_in(mail))
    reset_password(token=parse_qs(link.query)["token"][0], new_password=PASSWORD, now=NOW)

    guest = CustomUser.objects.get(email=GUEST)
    assert link.path.rstrip("/").endswith("reset-password")
    assert mail.to == [GUEST]
    assert booking.reference in mail.body
    assert "Works until" in mail.body
    assert guest.check_password(PASSWORD)
    assert guest.email_verified_at == NOW


def test_the_link_stands_in_the_mail_only(mailoutbox: list[EmailMultiAlternatives]) -> None:
    """RELIABILITY H12"""
    given()

    token = parse_qs(urlsplit(link_in(mailed(mailoutbox))).query)["token"][0]

    message = Notification.objects.get()
    assert message.kind == "booking_given_to_newcomer"
    assert set(message.data) == {"booking", "event", "account_link"}
    assert token not in repr(Notification.objects.values())


def test_a_link_that_has_ended_keeps_no_news_back(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = given()

    mail = mailed(mailoutbox, timedelta(days=40))

    assert booking.reference in mail.body
    assert "token=" not in mail.body
    assert Notification.objects.get().status == "sent"


def test_is_mailed_whatever_they_prefer(mailoutbox: list[EmailMultiAlternatives]) -> None:
    """Somebody else booked for them: nothing else tells them."""
    guest = a_user(email=GUEST)
    UserProfile.objects.filter(user=guest).update(notification_preferences={"confirmation": False})

    given()

    assert mailed(mailoutbox).to == [GUEST]


def test_a_deactivated_account_is_not_mailed(mailoutbox: list[EmailMultiAlternatives]) -> None:
    """The organizer sees no difference."""
    a_user(email=GUEST, is_active=False)

    booking = given()
    deliver(notification_id=Notification.objects.get().pk, now=NOW)

    assert booking.status == "confirmed"
    assert mailoutbox == []
    assert Notification.objects.get().skip_reason == "inactive"


def test_given_twice_one_link_serves_for_both() -> None:
    given()
    given()

    links = {message.data["account_link"] for message in Notification.objects.all()}

    assert len(links) == 1
