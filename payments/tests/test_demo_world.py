"""The demo data of all apps up to this one: what a front end finds to build against."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings import demo as bookings_demo
from bookings.models import Booking, Ticket, Waitlist
from eventhub_config.shared.integrity import all_checks
from events import demo as events_demo
from events.models import Event, TicketType
from payments import demo as payments_demo
from payments.models import Invoice, InvoiceSeries, Payment, Refund
from users.tests.factories import a_client

pytestmark = pytest.mark.django_db

ROWS: tuple[type[Model], ...] = (Event, TicketType, Booking, Ticket, Waitlist, Payment, Refund, Invoice)


def counts() -> dict[str, int]:
    return {model.__name__: model._base_manager.count() for model in ROWS}


def test_has_each_state_and_breaks_no_invariant():
    """API-5, OPS-6"""
    call_command("load_demo")

    assert [str(finding) for check in all_checks() for finding in check.findings()] == []
    assert Counter(Event.objects.values_list("status", flat=True)) == {
        "draft": 2,
        "published": 21,
        "ongoing": 1,
        "completed": 2,
        "cancelled": 1,
    }
    assert set(Booking.objects.values_list("status", flat=True)) == {
        "pending",
        "confirmed",
        "cancelled",
        "expired",
        "no_show",
    }
    assert Counter(Booking.objects.values_list("status", flat=True))["confirmed"] >= 20
    assert set(Payment.objects.values_list("status", flat=True)) == {
        "completed",
        "failed",
        "partially_refunded",
        "refunded",
    }
    assert set(Payment.objects.values_list("gateway", flat=True)) == {"mock", "by_hand"}
    assert set(Refund.objects.values_list("status", flat=True)) == {"completed"}
    assert set(Invoice.objects.values_list("kind", flat=True)) == {"invoice", "credit_note"}


def test_shows_each_reason_why_one_cannot_book():
    call_command("load_demo")

    events = a_client().get("/api/events/", {"page_size": 100}).json()["results"]

    reasons = {event["title"]: event["unavailable_reason"] for event in events}
    assert reasons["Master Class: Reading a Query Plan"] == "sold_out"
    assert reasons["Sauna Talks: Consensus"] == "waitlist_open"
    assert reasons["Autumn Architecture Retreat"] == "sales_not_started"
    assert reasons["Kubernetes in a Day"] == "event_cancelled"
    assert reasons["Django Deep Dive"] == "registration_closed"
    assert reasons["Stockholm Python Evening"] is None
    assert "Testing Without Tears" not in reasons


def test_has_a_queue_an_offer_a_gift_and_people_who_came():
    """BKG-5, BKG-6, BKG-7"""
    call_command("load_demo")

    queue = Waitlist.objects.order_by("pk").values_list("user__username", "seats", "status")
    assert list(queue) == [("chloe", 1, "offered"), ("eve", 2, "waiting"), ("dai", 1, "waiting")]
    assert list(Booking.objects.exclude(invited_as="").values_list("user__email", "status")) == [
        ("kim@demo.example", "confirmed")
    ]
    came = Counter(Ticket.objects.filter(status="checked_in").values_list("event__title", flat=True))
    assert came == {"Engineers by the Sea": 4, "Introduction to Celery": 2}


def test_numbers_invoices_in_the_order_of_their_dates():
    call_command("load_demo")

    for series in InvoiceSeries.objects.all():
        moments = list(Invoice.objects.filter(series=series).order_by("sequence").values_list("issued_at", flat=True))
        assert moments
        assert moments == sorted(moments)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=70)])
def test_adds_nothing_when_loaded_again(later: timedelta):
    call_command("load_demo")
    before = counts()

    for demo in (events_demo, bookings_demo, payments_demo):
        demo.load(now=timezone.now() + later)

    assert counts() == before


def test_is_quick_when_it_is_there(django_assert_max_num_queries: DjangoAssertNumQueries):
    call_command("load_demo")

    with django_assert_max_num_queries(12):
        for demo in (events_demo, bookings_demo, payments_demo):
            demo.load(now=timezone.now())
