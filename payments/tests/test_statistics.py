"""Figures about an event, put together from what each app contributes."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking, many_bookings
from events.models import Event
from events.tests.factories import NOW, an_event
from payments.models import Payment, Refund
from payments.services import refund_payment, send_refund
from payments.tests.factories import a_paid_booking, a_processed_payment
from users.models import CustomUser
from users.tests.factories import a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def figures(event: Any, user: CustomUser) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.get(f"/api/events/{event.pk}/statistics/")


def test_bookings_and_money_of_one_event() -> None:
    """EVT-7"""
    event = an_event(price=10, capacity=8)
    a_paid_booking(booking=a_booking(event=event, seats=2))
    back = a_paid_booking(booking=a_booking(event=event))
    cancel_booking(booking_id=back.pk, actor=back.user, now=NOW)
    send_refund(refund_id=Refund.objects.get().pk, now=NOW)
    a_processed_payment(booking=a_booking(event=event), token="tok_decline")
    a_paid_booking()  # of another event

    assert figures(event, event.organizer).json() == {
        "rating": {"average": None, "count": 0},
        "bookings": {
            "by_status": {"pending": 1, "confirmed": 1, "cancelled": 1, "expired": 0, "no_show": 0},
            "seats_by_status": {"pending": 1, "confirmed": 2, "cancelled": 1, "expired": 0, "no_show": 0},
            "waitlist_by_status": {
                "waiting": 0,
                "offered": 0,
                "accepted": 0,
                "declined": 0,
                "lapsed": 0,
                "left": 0,
                "closed": 0,
            },
            "seats_taken": 3,
            "complimentary_seats": 0,
            "fill_rate": 0.375,
            "checked_in": 0,
            "check_in_rate": 0.0,
            "by_day": [{"day": "2027-03-01", "bookings": 3, "seats": 4}],
        },
        "payments": {
            "revenue": [
                {
                    "currency": "EUR",
                    "received": "30.00",
                    "refunded": "10.00",
                    "refunds_on_their_way": "0.00",
                    "kept": "20.00",
                }
            ],
            "failed": 1,
            "failed_refunds": 0,
        },
    }


def test_money_on_its_way_back_is_not_kept_and_a_refund_that_failed_is_shown() -> None:
    event = an_event(price=10)
    for token in ("tok_success", "tok_success", "tok_refund_fails"):
        a_paid_booking(booking=a_booking(event=event), token=token)
    first, _second, third = Payment.objects.order_by("pk")
    for payment, amount in ((first, "4.00"), (third, "3.00")):
        refund_payment(payment_id=payment.pk, amount=Decimal(amount), reason="Rain", actor=event.organizer, now=NOW)
    send_refund(refund_id=Refund.objects.get(payment=third).pk, now=NOW)

    body = figures(event, event.organizer).json()["payments"]

    assert body == {
        "revenue": [
            {
                "currency": "EUR",
                "received": "30.00",
                "refunded": "0.00",
                "refunds_on_their_way": "4.00",
                "kept": "26.00",
            }
        ],
        "failed": 0,
        "failed_refunds": 1,
    }


def test_an_event_without_bookings_has_figures_too() -> None:
    body = figures(event := an_event(), event.organizer).json()

    rates = [body["bookings"][name] for name in ("fill_rate", "check_in_rate")]
    assert (body["bookings"]["by_day"], rates, body["payments"]["revenue"]) == ([], [None, None], [])


def test_days_are_those_of_the_events_zone() -> None:
    event = an_event(timezone="Pacific/Kiritimati")  # UTC+14: noon in UTC is tomorrow there
    a_booking(event=event)

    assert figures(event, event.organizer).json()["bookings"]["by_day"][0]["day"] == "2027-03-02"


def test_check_ins_are_counted_among_those_who_were_to_come() -> None:
    """Not among unpaid and closed bookings: nobody expected those."""
    event = an_event(capacity=100)
    for number, status in enumerate(Booking.Status.values):
        booking = a_booking(event=event, seats=number + 1)
        Booking.objects.filter(pk=booking.pk).update(status=status, expires_at=NOW)
    tickets = Ticket.objects.filter(booking__status="confirmed").order_by("pk")
    Ticket.objects.filter(pk=tickets[0].pk).update(status="checked_in")

    body = figures(event, event.organizer).json()["bookings"]

    assert body["seats_by_status"] == {"pending": 1, "confirmed": 2, "cancelled": 3, "expired": 4, "no_show": 5}
    assert (body["checked_in"], body["check_in_rate"]) == (1, round(1 / 7, 4))


def test_the_rating_is_that_of_the_event() -> None:
    event = an_event()
    Event.objects.filter(pk=event.pk).update(average_rating=Decimal("4.5"), review_count=2)

    assert figures(event, event.organizer).json()["rating"] == {"average": "4.50", "count": 2}


def test_of_ten_thousand_bookings_they_are_what_counting_them_one_by_one_gives(django_assert_num_queries: Any) -> None:
    """In as many statements as for one: two find the event, one its rating; four are for bookings, three for money."""
    event = an_event(price=3, timezone="America/New_York")
    statuses = ["confirmed", "confirmed", "pending", "cancelled", "no_show", "expired", "confirmed"]
    bookings = many_bookings(event, 10_000, statuses=statuses, every=timedelta(minutes=7))
    paid = [booking for booking in bookings if booking.status in {"confirmed", "no_show", "cancelled"}]
    Payment.objects.bulk_create([_taken(booking) for booking in paid], batch_size=500)

    with django_assert_num_queries(11):
        body = figures(event, event.organizer).json()

    zone = ZoneInfo("America/New_York")
    by_day = Counter(booking.created_at.astimezone(zone).date().isoformat() for booking in bookings)
    assert body["bookings"]["by_status"] == Counter(booking.status for booking in bookings)
    assert body["bookings"]["by_day"] == [
        {"day": day, "bookings": count, "seats": count} for day, count in sorted(by_day.items())
    ]
    assert len(by_day) == 49
    assert body["bookings"]["seats_taken"] == sum(booking.is_active for booking in bookings)
    refunded = sum(booking.status == "cancelled" for booking in paid)
    assert body["payments"]["revenue"] == [
        {
            "currency": "EUR",
            "received": f"{3 * len(paid)}.00",
            "refunded": f"{3 * refunded}.00",
            "refunds_on_their_way": "0.00",
            "kept": f"{3 * (len(paid) - refunded)}.00",
        }
    ]


def _taken(booking: Booking) -> Payment:
    """Return a payment that came in, and went back if the booking was cancelled."""
    went_back = booking.status == "cancelled"
    return Payment(
        booking=booking,
        amount=booking.total_amount,
        currency=booking.currency,
        status=Payment.Status.REFUNDED if went_back else Payment.Status.COMPLETED,
        refunded_amount=booking.total_amount if went_back else 0,
        gateway="mock",
        status_changed_at=booking.created_at,
        created_at=booking.created_at,
    )


def test_they_are_for_those_who_run_the_event() -> None:
    event = an_event()

    assert figures(event, a_user()).status_code == 403
    assert figures(event, an_organizer()).json()["code"] == "not_owner"
