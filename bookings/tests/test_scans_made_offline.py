"""Scans that a device made offline: taken in their order, answered one by one, and nothing twice."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.models import Scan, Ticket
from bookings.services.door import SCANS_AT_ONCE
from bookings.tests.factories import a_booking, many_bookings
from events.models import Event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def a_scan(scan_id: str, code: str, minutes_ago: int = 0) -> dict[str, str]:
    return {"scan_id": scan_id, "code": code, "scanned_at": (NOW - timedelta(minutes=minutes_ago)).isoformat()}


def upload(event: Event, *scans: dict[str, str], by: CustomUser | None = None) -> Any:
    client = a_client_of(by or event.organizer)
    return client.post(f"/api/events/{event.pk}/scans/", {"scans": list(scans)}, format="json")


def outcomes_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, answer.content
    return {result["scan_id"]: result["outcome"] for result in answer.json()["results"]}


def tickets_of(event: Event, count: int) -> list[Ticket]:
    return [Ticket.objects.get(booking=a_booking(event=event)) for _ in range(count)]


def test_are_answered_one_by_one_in_their_order() -> None:
    """BKG-6"""
    event = an_event(now=NOW - timedelta(days=1))
    first, second = tickets_of(event, 2)
    unpaid = Ticket.objects.get(booking=a_booking(organizer=event.organizer, price=5, title="Paid"))

    answer = upload(
        event,
        a_scan("1", second.code, 9),
        a_scan("2", "nonsense", 8),
        a_scan("3", unpaid.code, 7),
        a_scan("4", first.booking.reference, 6),
        a_scan("5", second.code, 5),
        a_scan("6", first.code, -6),
    )

    body = answer.json()
    assert [(result["scan_id"], result["outcome"]) for result in body["results"]] == [
        ("1", "checked_in"),
        ("2", "unknown_ticket"),
        ("3", "wrong_event"),
        ("4", "checked_in"),
        ("5", "already_checked_in"),
        ("6", "impossible_time"),
    ]
    assert (body["checked_in"], body["refused"]) == (2, 4)
    assert body["results"][0]["ticket"]["id"] == body["results"][4]["ticket"]["id"] == second.pk
    when = "12:51:00 on Mon 1 March 2027 (Europe/Berlin)"
    assert body["results"][4]["detail"].startswith(f"{second.holder_name} was let in at {when} by ")
    for ticket, minutes in ((first, 6), (second, 9)):
        ticket.refresh_from_db()
        assert (ticket.status, ticket.checked_in_at) == ("checked_in", NOW - timedelta(minutes=minutes))
        assert (ticket.status_changed_at, ticket.checked_in_by) == (NOW, event.organizer)


def test_sent_twice_change_nothing_twice() -> None:
    """BKG-6"""
    event = an_event()
    first, second = tickets_of(event, 2)
    scans = [a_scan("1", first.code), a_scan("2", first.code), a_scan("3", second.code), a_scan("4", "nonsense")]

    once = upload(event, *scans[:2])
    both = upload(event, *scans)
    before = list(Ticket.objects.order_by("pk").values()), list(Scan.objects.order_by("pk").values())
    again = upload(event, *reversed(scans))

    assert outcomes_of(once) == {"1": "checked_in", "2": "already_checked_in"}
    assert outcomes_of(both) == outcomes_of(again)
    assert outcomes_of(again) == {
        "1": "checked_in",
        "2": "already_checked_in",
        "3": "checked_in",
        "4": "unknown_ticket",
    }
    assert (list(Ticket.objects.order_by("pk").values()), list(Scan.objects.order_by("pk").values())) == before


def test_of_two_devices_the_one_heard_first_lets_in() -> None:
    """Whoever scanned first: at the door, people were let in by both. The conflict is told, with who and when."""
    event = an_event(now=NOW - timedelta(days=1))
    (ticket,) = tickets_of(event, 1)
    upload(event, a_scan("a-1", ticket.code, 1))

    later = upload(event, a_scan("b-1", ticket.code, 2))

    (result,) = later.json()["results"]
    assert (result["outcome"], result["ticket"]["checked_in_at"]) == ("already_checked_in", "2027-03-01T11:59:00Z")


def test_of_one_device_the_same_id_twice_is_one_scan() -> None:
    event = an_event()
    first, second = tickets_of(event, 2)

    same = upload(event, a_scan("1", first.code), a_scan("1", first.code))
    other = upload(event, a_scan("2", second.code), a_scan("2", first.code))

    assert [result["outcome"] for result in same.json()["results"]] == ["checked_in", "checked_in"]
    assert [result["outcome"] for result in other.json()["results"]] == ["checked_in", "scan_id_reused"]
    assert Scan.objects.count() == 2


def test_with_an_impossible_time_may_be_sent_again() -> None:
    event = an_event()
    (ticket,) = tickets_of(event, 1)

    wrong = upload(event, a_scan("1", ticket.code, -60))
    right = upload(event, a_scan("1", ticket.code))

    assert (outcomes_of(wrong), outcomes_of(right)) == ({"1": "impossible_time"}, {"1": "checked_in"})


def test_a_thousand_cost_as_many_statements_as_there_are_transactions(django_assert_max_num_queries: Any) -> None:
    event = an_event()
    many_bookings(event, 1000)
    codes = list(Ticket.objects.order_by("-pk").values_list("code", flat=True))
    client = a_client_of(event.organizer)
    body = {"scans": [a_scan(str(number), code) for number, code in enumerate(codes)]}

    # Who asks, the event; then per transaction: locked tickets, known scans, state, history, moments, new scans.
    with django_assert_max_num_queries(2 + 1000 // SCANS_AT_ONCE * (6 + 4)):
        answer = client.post(f"/api/events/{event.pk}/scans/", body, format="json")

    assert answer.json()["checked_in"] == Ticket.objects.filter(status="checked_in").count() == 1000


@pytest.mark.parametrize("scans", [[], [{"scan_id": "1", "code": "x"}], "x"])
def test_malformed_are_refused_as_a_whole(scans: Any) -> None:
    event = an_event()

    answer = a_client_of(event.organizer).post(f"/api/events/{event.pk}/scans/", {"scans": scans}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert Scan.objects.count() == 0


def test_more_than_a_thousand_are_refused_as_a_whole() -> None:
    event = an_event()

    answer = upload(event, *(a_scan(str(number), "x") for number in range(1001)))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "scans")
    assert Scan.objects.count() == 0


def test_are_taken_from_those_who_run_the_event() -> None:
    event = an_event()
    (ticket,) = tickets_of(event, 1)

    assert upload(event, a_scan("1", ticket.code), by=an_organizer()).json()["code"] == "not_owner"
    assert upload(event, a_scan("1", ticket.code), by=ticket.booking.user).json()["code"] == "permission_denied"
    assert Scan.objects.count() == 0
