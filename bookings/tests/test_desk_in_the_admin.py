"""The desk in the admin: confirming by hand, and giving seats away to one person or to a list."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bookings.models import Booking
from bookings.services import cancel_booking, give_booking
from bookings.services.complimentary import Gift
from bookings.tests.factories import a_booking
from eventhub_config.tests.admin_pages import browser, form_on, messages_of
from events.models import Event, TicketType
from events.tests.factories import NOW, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

BOOKINGS = "/admin/bookings/booking/"
GOOD = b"email,name,reason\nann@example.org,Ann,Press\nbob@example.org,,Sponsor\n"


def page_of(event: Event) -> str:
    return f"{BOOKINGS}complimentary/{event.pk}/"


def confirm(client: Client, *bookings: Booking, **more: Any) -> Any:
    chosen = [booking.pk for booking in bookings]
    return client.post(BOOKINGS, {"action": "confirm_selected", "index": 0, "_selected_action": chosen, **more})


def gift(event: Event, **more: Any) -> dict[str, Any]:
    kind = TicketType.objects.filter(event=event)[0]
    body = {"do": "give", "email": "ann@example.org", "name": "Ann", "ticket_type": kind.pk, "quantity": 1}
    return body | {"reason": "Press"} | more


def look(client: Client, event: Event, content: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile("guests.csv", content, content_type="text/csv")
    return client.post(page_of(event), {"do": "look", "file": file} | more)


# --- Confirming ---


def test_confirming_asks_for_a_reason_and_names_what_was_refused():
    """ADM-1, ADM-3, BKG-4"""
    event = an_event(price=5)
    pending, other = a_booking(event=event), a_booking(event=event)
    Booking.objects.filter(pk=other.pk).update(status="confirmed")
    client = browser(event.organizer)

    asked = confirm(client, pending, other)
    unsaid = confirm(client, pending, other, confirmed="yes", reason="")
    done = confirm(client, pending, other, confirmed="yes", reason="Paid in cash")

    assert "Confirm these bookings without a payment?" in asked.content.decode()
    assert "This field is required." in unsaid.content.decode()
    told = messages_of(done)
    assert told[1:] == ["1 booking confirmed."]
    assert other.reference in told[0]
    pending.refresh_from_db()
    assert (pending.status, pending.amount_due, pending.waiver_reason) == ("confirmed", 0, "Paid in cash")


def test_the_button_stands_on_the_page_of_a_pending_booking_only():
    pending, free = a_booking(price=5), a_booking()
    pages = [
        browser(booking.event.organizer).get(f"{BOOKINGS}{booking.pk}/change/").context["row_actions"]
        for booking in (pending, free)
    ]

    assert ["confirm_selected" in dict(actions) for actions in pages] == [True, False]


def test_nobody_confirms_somebody_elses():
    """ADM-2"""
    booking = a_booking(price=5)

    confirm(browser(an_organizer()), booking, confirmed="yes", reason="Mine")

    booking.refresh_from_db()
    assert booking.status == "pending"


# --- One person ---


def test_the_event_leads_to_its_page():
    event = an_event()
    client = browser(event.organizer)

    shown = client.get(f"/admin/events/event/{event.pk}/change/").content.decode()
    draft = client.get(f"/admin/events/event/{a_draft(organizer=event.organizer).pk}/change/").content.decode()

    assert page_of(event) in shown
    assert "Complimentary bookings" not in draft
    assert client.get(page_of(event)).status_code == 200


def test_gives_one_person_seats():
    """BKG-7"""
    event = an_event(ticket_types=[{"name": "Standard"}, {"name": "Crew", "is_visible": False}])
    crew = TicketType.objects.get(name="Crew")
    client = browser(event.organizer)

    done = client.post(page_of(event), gift(event, ticket_type=crew.pk, quantity=2))

    booking = Booking.objects.get()
    assert (done.status_code, done["Location"]) == (302, page_of(event))
    assert messages_of(done) == [f"Ann has booking {booking.reference} and is told by mail."]
    assert (booking.seats, booking.invited_as, booking.waiver_reason) == (2, "Ann", "Press")
    assert set(booking.tickets.values_list("ticket_type", flat=True)) == {crew.pk}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"reason": ""}, "This field is required."),
        ({"quantity": 3}, "There are not enough seats left."),
        ({"ticket_type": 10**6}, "Select a valid choice."),
    ],
)
def test_says_why_not(more: dict[str, Any], said: str):
    event = an_event(capacity=2)

    page = browser(event.organizer).post(page_of(event), gift(event, **more))

    assert said in page.content.decode()
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_organizers_event_looks_like_none(method: str):
    """ADM-2"""
    foreign = an_event()
    client = browser(an_organizer())

    for address in (page_of(foreign), f"{BOOKINGS}complimentary/1000000/", f"{BOOKINGS}complimentary/{'9' * 30}/"):
        answer = getattr(client, method)(address, gift(foreign))
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert Booking.objects.count() == 0
    assert browser(an_admin()).get(page_of(foreign)).status_code == 200


# --- A list ---


def test_a_list_is_looked_at_and_then_booked():
    event = an_event(capacity=2)
    client = browser(event.organizer)

    looked = look(client, event, GOOD, reason="For all")
    before = Booking.objects.count()
    done = client.post(page_of(event), form_on(looked, "import_form") | {"do": "import"})

    assert "2 bookings with 2 seats: all lines are good" in looked.content.decode()
    assert "<td>ann@example.org</td><td>Ann</td><td>Standard</td><td>1</td>" in looked.content.decode()
    assert before == 0
    assert messages_of(done) == ["2 bookings with 2 seats were made. Everybody is told by mail."]
    assert list(Booking.objects.order_by("pk").values_list("invited_as", flat=True)) == ["Ann", "bob@example.org"]


def test_problems_are_named_by_line_and_nothing_can_be_booked():
    event = an_event(capacity=1)

    page = look(browser(event.organizer), event, GOOD + b"<b>nobody</b>,,\n").content.decode()

    assert "Nothing was booked: 3 problems" in page
    assert "<td>3</td><td>quantity</td><td>There are not enough seats left.</td>" in page
    assert "<td>4</td><td>email</td><td>Enter a valid email address.</td>" in page
    assert "<b>nobody" not in page
    assert 'id="import_form"' not in page


def test_what_changed_since_it_was_looked_at_is_seen():
    event = an_event(capacity=2)
    client = browser(event.organizer)
    looked = look(client, event, GOOD)
    a_booking(event=event)

    late = client.post(page_of(event), form_on(looked, "import_form") | {"do": "import"})

    assert "Some lines cannot be accepted. Nothing was booked." in late.content.decode()
    assert "<td>3</td><td>quantity</td>" in late.content.decode()
    assert Booking.objects.exclude(invited_as="").count() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty."),
        (b"\xff\xfe", "Save the file as CSV in UTF-8."),
        (b"email,reason\n" + b"x" * 600_000, "Send 524288 bytes at most."),
        (b"email,reason\n" + b"x" * 5_300_000, "Send 524288 bytes at most."),
    ],
)
def test_says_what_is_wrong_with_a_file(content: bytes, said: str):
    event = an_event()

    assert said in look(browser(event.organizer), event, content).content.decode()


# --- What is shown of those who were invited ---


def invited(event: Event, user: CustomUser) -> Booking:
    given = Gift(email=user.email, name="Grete", reason="Press")
    return give_booking(event_id=event.pk, gift=given, actor=event.organizer, now=NOW)


def test_organizers_see_and_find_what_they_called_somebody():
    secret = a_user(email="secret@example.org", username="secretperson", first_name="Secret")
    event = an_event()
    booking = invited(event, secret)
    booking.tickets.update(attendee_email="")
    client = browser(event.organizer)

    found = {
        word: client.get(f"{BOOKINGS}?q={word}").context["cl"].result_count
        for word in ("Grete", "secretperson", "secret@example.org", booking.reference)
    }
    pages = [client.get(f"{BOOKINGS}{path}").content.decode() for path in ("", f"{booking.pk}/change/")]

    assert found == {"Grete": 1, "secretperson": 0, "secret@example.org": 0, booking.reference: 1}
    for page in pages:
        assert "Grete (invited)" in page
        assert "ecret" not in page
    assert browser(an_admin()).get(f"{BOOKINGS}?q=secretperson").context["cl"].result_count == 1


@pytest.mark.parametrize(("query", "count"), [("waived=invited", 1), ("waived=by_hand", 1), ("", 3)])
def test_what_is_free_of_charge_can_be_listed(query: str, count: int):
    event = an_event(price=5)
    invited(event, a_user())
    by_hand = a_booking(event=event)
    a_booking(event=event)
    client = browser(event.organizer)
    confirm(client, by_hand, confirmed="yes", reason="Cash")

    assert client.get(f"{BOOKINGS}?{query}").context["cl"].result_count == count


def test_the_history_calls_them_so_too():
    secret = a_user(username="secretperson")
    event = an_event()
    booking = invited(event, secret)
    ticket = booking.tickets.get()
    cancel_booking(booking_id=booking.pk, actor=secret, now=NOW)
    addresses = [f"{BOOKINGS}{booking.pk}/history/", f"/admin/bookings/ticket/{ticket.pk}/history/"]

    for_organizer = [browser(event.organizer).get(address).content.decode() for address in addresses]
    for_admin = [browser(an_admin()).get(address).content.decode() for address in addresses]

    assert all("<td>Grete</td>" in page and "secretperson" not in page for page in for_organizer)
    assert all("<td>secretperson</td>" in page for page in for_admin)
