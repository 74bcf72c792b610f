"""Money to try Event Hub with: bookings that were paid, declined, cancelled and refunded, with their invoices.

Everything happens in the order of its moments, so that invoices are numbered as they would have been.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings

from bookings.demo import DemoBooking, arrive, book, missing
from bookings.models import Booking
from bookings.services import cancel_booking, close_after_event_cancellation
from eventhub_config.shared.errors import DomainError
from events.demo import demo_events, let_time_pass
from events.demo_events import EVENTS
from events.models import Event
from events.services import cancel_event
from payments.gateways.mock import DECLINE, SUCCESS
from payments.models import InvoiceRequest, Payment, Refund
from payments.services import issue_invoice, process_payment, record_payment, send_refund, start_payment
from users.models import CustomUser

A_WHILE = timedelta(minutes=3)
EVENT_CANCELLED_DAYS_AGO = 2

NOVAK = {
    "company": "Novak Software", "address": "Beispielweg 7", "postal_code": "20095", "city": "Hamburg", "country": "DE",
    "tax_id": "DE000000017",
}  # fmt: skip
OKAFOR = {
    "company": "Okafor Ltd", "address": "12 Sample Street", "postal_code": "EC1A 1BB", "city": "London",
    "country": "GB", "tax_id": "GB000000018",
}  # fmt: skip
PAID = (
    DemoBooking("ada", "Introduction to Celery", 40, came=1, billing=NOVAK),
    DemoBooking("ben", "Introduction to Celery", 38, (("", 2),), came=1),
    DemoBooking("chloe", "Introduction to Celery", 35, came=0),
    DemoBooking("dai", "Introduction to Celery", 33, cancelled_days_ago=30, reason="I have no time after all."),
    DemoBooking("ada", "Django Deep Dive", 32),
    DemoBooking("ben", "Django Deep Dive", 28),
    DemoBooking("dai", "Django Deep Dive", 16),
    DemoBooking("ada", "Master Class: Reading a Query Plan", 24, (("", 2),)),
    DemoBooking("ben", "Master Class: Reading a Query Plan", 22, (("", 2),)),
    DemoBooking("ada", "PostgreSQL for Application Developers", 21),
    DemoBooking("ben", "PostgreSQL for Application Developers", 18, cancelled_days_ago=6, reason="A clash of dates."),
    DemoBooking("ada", "Berlin API Conference", 27, (("Early bird", 1),)),
    DemoBooking("chloe", "Berlin API Conference", 26, (("Early bird", 1), ("Online", 1))),
    DemoBooking("dai", "Berlin API Conference", 25, (("Early bird", 1),)),
    DemoBooking("ben", "Berlin API Conference", 15, (("Regular", 3), ("Online", 2)), billing=OKAFOR),
    DemoBooking("ada", "Kubernetes in a Day", 17),
    DemoBooking("chloe", "Kubernetes in a Day", 14, (("", 2),)),
    DemoBooking("dai", "Two Time Zones, One Team", 11),
    DemoBooking("chloe", "Designing APIs People Enjoy", 9),
    DemoBooking("eve", "Designing APIs People Enjoy", 8),
)
# Paid at the second try.
DECLINED_FIRST = frozenset({("chloe", "Designing APIs People Enjoy")})
IN_CASH = frozenset({("eve", "Designing APIs People Enjoy")})

Step = tuple[datetime, Callable[[], None]]


def load(*, now: datetime) -> None:
    """Make the bookings of ``PAID`` that are missing, cancel what was to be, and let past events take place."""
    if settings.PAYMENT_GATEWAY != "mock":
        return
    steps: list[Step] = []
    for plan, user, event in missing(PAID):
        steps.append((now - timedelta(days=plan.days_ago), _booking(plan, user, event, now)))
        if plan.cancelled_days_ago is not None:
            at = now - timedelta(days=plan.cancelled_days_ago)
            steps.append((at, _cancelling(user, event, plan.reason, at)))
        if plan.came is not None:
            steps.append((event.starts_at, _arriving(plan, user, event, now)))
    steps += _event_cancellations(now)
    for _at, step in sorted(steps, key=lambda step: step[0]):
        step()
    let_time_pass(now=now)


def _booking(plan: DemoBooking, user: CustomUser, event: Event, now: datetime) -> Callable[[], None]:
    def book_and_pay() -> None:
        booking = book(plan, user, event, now)
        if booking is None:
            return
        if (plan.username, plan.title) in IN_CASH:
            _take_cash(booking, booking.created_at + A_WHILE)
            return
        if (plan.username, plan.title) in DECLINED_FIRST:
            _pay(booking, DECLINE, booking.created_at + A_WHILE)
        _pay(booking, SUCCESS, booking.created_at + 2 * A_WHILE)

    return book_and_pay


def _pay(booking: Booking, token: str, at: datetime) -> None:
    try:
        payment = start_payment(user=booking.user, booking_id=booking.pk, token=token, now=at)
    except DomainError:  # closed meanwhile, by a worker that found its hold long over
        return
    process_payment(payment_id=payment.pk, now=at)
    _issue_invoices(payment, at)


def _take_cash(booking: Booking, at: datetime) -> None:
    seller = booking.event.organizer
    try:
        payment = record_payment(booking_id=booking.pk, method="cash", note="Receipt 17", actor=seller, now=at)
    except DomainError:  # closed meanwhile, as above
        return
    _issue_invoices(payment, at)


def _arriving(plan: DemoBooking, user: CustomUser, event: Event, now: datetime) -> Callable[[], None]:
    def come() -> None:
        for booking in Booking.objects.filter(user=user, event=event, status=Booking.Status.CONFIRMED):
            arrive(plan, booking, now)

    return come


def _cancelling(user: CustomUser, event: Event, reason: str, at: datetime) -> Callable[[], None]:
    def cancel() -> None:
        for booking in Booking.objects.active().filter(user=user, event=event):
            cancel_booking(booking_id=booking.pk, actor=user, now=at, reason=reason)
            _send_refunds(booking, at)

    return cancel


def _event_cancellations(now: datetime) -> list[Step]:
    events = demo_events()
    to_cancel = [(events[plan.title], plan) for plan in EVENTS if plan.cancelled_because and plan.title in events]
    at = now - timedelta(days=EVENT_CANCELLED_DAYS_AGO)
    return [
        (at, _event_cancelling(event, plan.cancelled_because, at))
        for event, plan in to_cancel
        if event.status == Event.Status.PUBLISHED
    ]


def _event_cancelling(event: Event, reason: str, at: datetime) -> Callable[[], None]:
    def cancel() -> None:
        cancel_event(event_id=event.pk, reason=reason, actor=event.organizer, now=at)
        for booking in Booking.objects.active().filter(event=event).order_by("pk"):
            close_after_event_cancellation(booking_id=booking.pk, now=at)
            _send_refunds(booking, at)

    return cancel


def _send_refunds(booking: Booking, at: datetime) -> None:
    for refund in Refund.objects.filter(payment__booking=booking, status=Refund.Status.REQUESTED).order_by("pk"):
        send_refund(refund_id=refund.pk, now=at)
        _issue_invoices(refund.payment, at)


def _issue_invoices(payment: Payment, at: datetime) -> None:
    for request_id in InvoiceRequest.objects.filter(payment=payment, invoice=None).values_list("pk", flat=True):
        issue_invoice(request_id=request_id, now=at)
