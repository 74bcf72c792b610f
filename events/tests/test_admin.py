"""Organizers work on their own events in the admin, by the same rules as in the API."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.admin_pages import browser, errors_on, form_on, messages_of
from events.models import Event, TicketType
from events.services import cancel_event, read_offer, take_seats, update_event
from events.tests.factories import NOW, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

EVENTS = "/admin/events/event/"
TYPES = "/admin/events/tickettype/"
LATE = {"registration_deadline_0": "2028-01-01", "registration_deadline_1": "10:00"}
SECRET = "Nobody else's business"


def page_of(event: Event) -> str:
    return f"{EVENTS}{event.pk}/change/"


def save(client: Client, event: Event, **typed: Any) -> Any:
    """Open an event's page, type something, and save."""
    form = form_on(client.get(page_of(event)), "event_form")
    assert form.keys() >= typed.keys()
    return client.post(page_of(event), form | typed)


def act(client: Client, action: str, *events: Event, **more: Any) -> Any:
    chosen = [event.pk for event in events]
    return client.post(EVENTS, {"action": action, "index": 0, "_selected_action": chosen, **more})


def sell(event: Event, seats: int) -> None:
    kind = event.ticket_types.get()
    take_seats(read_offer(event.pk), {kind.pk: seats}, now=NOW)


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_a_list_has_ones_own_events_only():
    organizer = an_organizer()
    a_draft(organizer=organizer, title="Mine")
    an_event(title=SECRET)
    client = browser(organizer)

    for query in (
        "",
        "?q=business",
        "?status__exact=published",
        "?category__exact=workshop",
        "?starts_at__year=2027",
        "?_facets=True",
    ):
        response = client.get(EVENTS + query)
        assert response.status_code == 200
        assert SECRET not in response.content.decode(), query
    assert client.get(EVENTS).context["cl"].result_count == 1
    assert browser(an_admin()).get(EVENTS).context["cl"].result_count == 2


@pytest.mark.parametrize("view", ["change", "history", "delete"])
def test_somebody_elses_event_answers_like_none(view: str):
    foreign = a_draft(title=SECRET)
    client = browser(an_organizer())
    nowhere = foreign.pk + 1_000_000

    answers = {pk: client.get(f"{EVENTS}{pk}/{view}/") for pk in (foreign.pk, nowhere)}
    posts = {pk: client.post(f"{EVENTS}{pk}/{view}/", {"title": "Mine now", "post": "yes"}) for pk in answers}

    for pk, response in [*answers.items(), *posts.items()]:
        assert (response.status_code, response["Location"]) == (302, "/admin/")
        assert f"event with ID “{pk}”" in messages_of(response)[-1]
    foreign.refresh_from_db()
    assert foreign.title == SECRET


def test_filters_and_drop_downs_offer_ones_own_events_only():
    organizer = an_organizer()
    mine = a_draft(organizer=organizer, title="Mine")
    foreign = an_event(title=SECRET)
    client = browser(organizer)
    add = {"event": foreign.pk, "name": "Sneaked in", "price": "0", "min_per_booking": 1, "max_per_booking": 1}

    autocomplete = {"app_label": "events", "model_name": "tickettype", "field_name": "event", "term": ""}
    offered = client.get("/admin/autocomplete/", autocomplete).json()["results"]
    listed = client.get(TYPES).content.decode()
    filtered = client.get(f"{TYPES}?event={foreign.pk}")
    added = client.post(f"{TYPES}add/", add)

    assert offered == [{"id": str(mine.pk), "text": str(mine)}]
    assert SECRET not in listed
    assert filtered.context["cl"].result_count == 0
    assert "event" in errors_on(added)
    assert foreign.ticket_types.count() == 1


def test_actions_leave_somebody_elses_events_alone():
    organizer = an_organizer()
    mine, foreign = a_draft(organizer=organizer), a_draft(title=SECRET)
    client = browser(organizer)

    response = act(client, "publish_selected", mine, foreign)

    assert messages_of(response) == ["1 event published."]
    assert SECRET not in act(client, "cancel_selected", mine, foreign).content.decode()
    foreign.refresh_from_db()
    assert foreign.status == "draft"


@pytest.mark.parametrize(
    "query",
    ["organizer__password__startswith=a", "organizer__email=x", "online_url__startswith=https", "version=1", "title=x"],
)
def test_lists_do_not_filter_by_what_is_not_offered(query: str):
    assert browser(an_organizer()).get(f"{EVENTS}?{query}").status_code == 400


def test_organizers_are_offered_no_users():
    organizer = an_organizer()
    client = browser(organizer)
    autocomplete = {"app_label": "events", "model_name": "event", "field_name": "organizer", "term": ""}

    assert client.get("/admin/autocomplete/", autocomplete).status_code == 403
    assert "organizer" not in form_on(client.get(f"{EVENTS}add/"), "event_form")


def test_administrators_choose_among_organizers():
    admin, organizer = an_admin(), an_organizer()
    an_event_of_an_attendee = {"app_label": "events", "model_name": "event", "field_name": "organizer", "term": ""}
    CustomUser.objects.create_user("guest", "guest@example.com", "x")

    offered = browser(admin).get("/admin/autocomplete/", an_event_of_an_attendee).json()["results"]

    assert {item["id"] for item in offered} == {str(admin.pk), str(organizer.pk)}


# --- Editing ----------------------------------------------------------------------------------------------------------


def test_saving_a_page_as_it_is_changes_nothing():
    event = an_event(skills=["Django", "REST"], hours=Decimal("3.50"), registration_deadline=NOW + timedelta(days=1))
    before = Event.objects.values().get(pk=event.pk)

    response = save(browser(event.organizer), event)

    assert response.status_code == 302
    assert Event.objects.values().get(pk=event.pk) == before
    assert list(event.ticket_types.values_list("name", flat=True)) == ["Standard"]


def test_an_edit_goes_through_the_service():
    event = an_event(capacity=10)

    response = save(browser(event.organizer), event, title="Renamed", skills="Django\nREST\n", capacity="")

    assert response.status_code == 302
    fresh = Event.objects.get(pk=event.pk)
    assert (fresh.title, fresh.skills, fresh.capacity) == ("Renamed", ["Django", "REST"], None)
    assert fresh.version == event.version + 1
    assert fresh.status == "published"


def test_seats_sold_while_the_page_is_open_stay_sold():
    event = an_event(capacity=10)
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")
    sell(event, 4)

    response = client.post(page_of(event), form | {"title": "Renamed"})

    assert response.status_code == 302
    fresh = Event.objects.get(pk=event.pk)
    assert (fresh.title, fresh.seats_taken, fresh.ticket_types.get().seats_taken) == ("Renamed", 4, 4)


def test_a_page_that_is_older_than_somebody_elses_edit_is_refused():
    event = an_event()
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")
    update_event(event_id=event.pk, changes={"summary": "From the API"}, actor=event.organizer, now=NOW)

    with_edit = client.post(page_of(event), form | {"title": "Renamed"})
    with_types = client.post(page_of(event), form | {"ticket_types-0-name": "Renamed"})

    for response in (with_edit, with_types):
        assert "changed since you read it" in str(errors_on(response))
    fresh = Event.objects.get(pk=event.pk)
    assert (fresh.title, fresh.summary, fresh.ticket_types.get().name) == (event.title, "From the API", "Standard")


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"capacity": "3"}, "capacity", "4 seats are taken; the capacity cannot be 3."),
        ({"currency": "JPY"}, "currency", "fixed since the first booking"),
        ({"ends_at_0": "2027-03-01"}, "ends_at", "ends after it starts"),
        (LATE, "registration_deadline", "closes at"),
        ({"latitude": "50"}, "latitude", "together"),
        ({"title": ""}, "title", "required"),
        ({"capacity": "1000001"}, "capacity", "less than or equal to 1000000"),
        ({"capacity": "99999999999999999999"}, "capacity", "less than or equal to 1000000"),
        ({"country": "Germany"}, "country", "at most 2"),
        ({"timezone": "Mars/Olympus"}, "timezone", "valid choice"),
        ({"skills": "x" * 61}, "skills", "1 to 60"),
        ({"starts_at_0": "9999-12-31"}, "starts_at", "outside the years"),
        ({"starts_at_0": "tomorrow"}, "starts_at", "valid date"),
        ({"starts_at_0": "2027-03-28", "starts_at_1": "02:30"}, "starts_at", "skip this time or show it twice"),
        ({"title": "a\0b"}, "title", "Null characters"),
        ({"version": ""}, "version", "required"),
    ],
)  # fmt: skip
def test_a_refusal_stands_at_its_field(typed: dict[str, str], field: str, message: str):
    event = an_event(capacity=10)
    sell(event, 4)
    before = Event.objects.values().get(pk=event.pk)

    response = save(browser(event.organizer), event, **typed)

    assert message in " ".join(errors_on(response)[field])
    assert Event.objects.values().get(pk=event.pk) == before


class LockNotAvailable(Exception):
    """What a driver says when a lock was not got in time."""

    pgcode = "55P03"


def test_a_busy_database_is_told_and_nothing_is_lost():
    def locked(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('UPDATE "events_event"'):
            raise OperationalError("database is locked") from LockNotAvailable()
        return execute(sql, *rest)

    event = an_event()

    with connection.execute_wrapper(locked):
        response = save(browser(event.organizer), event, title="Renamed")

    assert errors_on(response) == {"__all__": ["Too busy just now. Nothing was changed; try again."]}
    assert 'value="Renamed"' in response.content.decode()
    assert Event.objects.get(pk=event.pk).title == event.title


def test_status_and_counters_cannot_be_typed():
    event = a_draft()
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")
    typed = {
        "title": "Renamed", "status": "published", "seats_taken": "5", "slug": "x", "organizer": an_organizer().pk,
        "published_at": "2027-01-01", "average_rating": "5", "first_published_at": "2027-01-01",
    }  # fmt: skip

    client.post(page_of(event), form | typed)

    fresh = Event.objects.get(pk=event.pk)
    assert (fresh.title, fresh.status, fresh.seats_taken, fresh.slug[:8]) == ("Renamed", "draft", 0, "renamed-")
    assert (fresh.organizer_id, fresh.published_at, fresh.average_rating) == (event.organizer_id, None, None)


def test_what_is_over_is_only_looked_at():
    event = an_event()
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")
    cancel_event(event_id=event.pk, reason="", actor=event.organizer, now=NOW)

    assert client.get(page_of(event)).status_code == 200
    assert client.post(page_of(event), form | {"title": "Renamed"}).status_code == 403
    kind = event.ticket_types.get()
    assert client.get(f"{TYPES}{kind.pk}/change/").status_code == 200
    assert client.post(f"{TYPES}{kind.pk}/change/", {"name": "Renamed"}).status_code == 403
    assert Event.objects.get(pk=event.pk).title == event.title


# --- Times ------------------------------------------------------------------------------------------------------------


def test_times_are_typed_as_the_clocks_there_show_them():
    event = a_draft(timezone="America/New_York")
    typed = {"starts_at_0": "2027-07-01", "starts_at_1": "18:00", "ends_at_0": "2027-07-01", "ends_at_1": "20:00"}

    response = save(browser(event.organizer), event, **typed)

    assert response.status_code == 302
    assert Event.objects.get(pk=event.pk).starts_at == datetime(2027, 7, 1, 22, 0, tzinfo=UTC)


def test_another_zone_keeps_the_times_as_they_are_written():
    start = datetime(2027, 7, 1, 8, 0, tzinfo=UTC)  # 10:00 in Berlin
    event = a_draft(starts_at=start, timezone="Europe/Berlin")
    TicketType.objects.update(sales_start_at=start - timedelta(days=3))

    response = save(browser(event.organizer), event, timezone="America/New_York")

    assert response.status_code == 302
    fresh = Event.objects.get(pk=event.pk)
    assert fresh.starts_at == datetime(2027, 7, 1, 14, 0, tzinfo=UTC)
    assert fresh.ends_at == datetime(2027, 7, 1, 17, 0, tzinfo=UTC)
    assert fresh.ticket_types.get().sales_start_at == datetime(2027, 6, 28, 14, 0, tzinfo=UTC)


def test_a_time_that_the_clocks_show_twice_stays_if_it_is_not_touched():
    second_half_past_two = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # 02:30 again, after the clocks went back
    event = a_draft(starts_at=second_half_past_two)

    response = save(browser(event.organizer), event, title="Renamed")

    assert response.status_code == 302
    assert Event.objects.get(pk=event.pk).starts_at == second_half_past_two


# --- Ticket types -----------------------------------------------------------------------------------------------------


def test_ticket_types_change_with_their_event():
    event = a_draft(ticket_types=[{"name": "Early", "price": Decimal(5)}, {"name": "Late", "price": Decimal(9)}])
    typed = {
        "title": "Renamed",
        "ticket_types-0-price": "6.50",
        "ticket_types-1-DELETE": "on",
        "ticket_types-TOTAL_FORMS": "3",
    }
    new = {"ticket_types-2-name": "Door", "ticket_types-2-price": "12", "ticket_types-2-quantity": "20"}
    limits = {"ticket_types-2-min_per_booking": "1", "ticket_types-2-max_per_booking": "4"}
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")

    response = client.post(page_of(event), form | typed | new | limits)

    assert response.status_code == 302
    kinds = event.ticket_types.in_order().values_list("name", "price", "quantity")
    assert list(kinds) == [("Early", Decimal("6.50"), None), ("Door", Decimal(12), 20)]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"ticket_types-0-quantity": "3"}, "4 seats are taken; the quantity cannot be 3."),
        ({"ticket_types-0-price": "1.234"}, "EUR has 2 decimals."),
        ({"ticket_types-0-price": "-1"}, "greater than or equal to 0"),
        ({"ticket_types-0-max_per_booking": "0"}, "greater than or equal to 1"),
        ({"ticket_types-0-min_per_booking": "5", "ticket_types-0-max_per_booking": "4"}, "not below the minimum"),
        ({"ticket_types-0-name": "a\tb"}, "control characters"),
    ],
)
def test_a_refused_ticket_type_saves_nothing_of_the_page(typed: dict[str, str], message: str):
    event = an_event()
    sell(event, 4)

    response = save(browser(event.organizer), event, title="Renamed", **typed)

    formset, _sessions = response.context["inline_admin_formsets"]
    assert message in str(formset.formset.errors)
    assert Event.objects.get(pk=event.pk).title == event.title


def test_the_last_ticket_type_of_a_public_event_stays():
    event = an_event()
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")

    response = client.post(page_of(event), form | {"ticket_types-0-DELETE": "on"})

    assert errors_on(response) == {"__all__": ["Standard: A published event needs a ticket type."]}
    assert event.ticket_types.count() == 1


def test_two_ticket_types_of_one_name_are_refused():
    event = a_draft(ticket_types=[{"name": "Early", "price": Decimal(5)}, {"name": "Late", "price": Decimal(9)}])

    response = save(browser(event.organizer), event, **{"ticket_types-1-name": "Early"})

    assert response.status_code == 200
    assert set(event.ticket_types.values_list("name", flat=True)) == {"Early", "Late"}


def test_a_ticket_type_has_a_page_of_its_own():
    event = an_event()
    kind = event.ticket_types.get()
    client = browser(event.organizer)
    form = form_on(client.get(f"{TYPES}{kind.pk}/change/"), "tickettype_form")

    changed = client.post(
        f"{TYPES}{kind.pk}/change/",
        form | {"price": "7", "sales_start_at_0": "2027-03-02", "sales_start_at_1": "09:00"},
    )
    refused = client.post(f"{TYPES}{kind.pk}/delete/", {"post": "yes"})
    added = client.post(
        f"{TYPES}add/", form_on(client.get(f"{TYPES}add/"), "tickettype_form") | {"event": event.pk, "name": "Door"}
    )

    assert (changed.status_code, added.status_code) == (302, 302)
    kind.refresh_from_db()
    assert (kind.price, kind.sales_start_at) == (Decimal(7), datetime(2027, 3, 2, 8, 0, tzinfo=UTC))
    assert "needs a ticket type" in str(messages_of(refused))
    assert list(event.ticket_types.in_order().values_list("name", flat=True)) == ["Standard", "Door"]


# --- Adding and deleting ----------------------------------------------------------------------------------------------


def new_event(client: Client, **typed: Any) -> Any:
    form = form_on(client.get(f"{EVENTS}add/"), "event_form")
    times = {"starts_at_0": "2027-04-01", "starts_at_1": "10:00", "ends_at_0": "2027-04-01", "ends_at_1": "12:00"}
    return client.post(
        f"{EVENTS}add/", form | {"title": "New", "category": "workshop", "timezone": "Europe/Berlin"} | times | typed
    )


def test_an_organizer_adds_a_draft_of_their_own():
    organizer = an_organizer()
    typed = {"organizer": an_admin().pk, "ticket_types-0-name": "Standard", "ticket_types-0-price": "25"}

    response = new_event(browser(organizer), **typed)

    assert response.status_code == 302, errors_on(response)
    event = Event.objects.get()
    assert (event.organizer, event.status, event.slug[:4]) == (organizer, "draft", "new-")
    assert event.starts_at == datetime(2027, 4, 1, 8, 0, tzinfo=UTC)
    assert event.attendance_rule == "check_in"
    assert event.ticket_types.get().price == 25
    history = StatusChange.objects.get(subject_type="events.event", subject_id=event.pk)
    assert (history.to_status, history.actor) == ("draft", f"user:{organizer.pk}")


def test_the_zone_of_a_new_event_is_the_organizers():
    organizer = an_organizer()
    organizer.profile.timezone = "Asia/Tokyo"
    organizer.profile.save()

    assert form_on(browser(organizer).get(f"{EVENTS}add/"), "event_form")["timezone"] == "Asia/Tokyo"


def test_an_administrator_adds_a_draft_for_somebody():
    organizer = an_organizer()

    response = new_event(browser(an_admin()), organizer=organizer.pk, format="online")

    assert response.status_code == 302, errors_on(response)
    event = Event.objects.get()
    assert (event.organizer, event.attendance_rule) == (organizer, "confirmed")


def test_a_refused_new_event_leaves_nothing():
    response = new_event(browser(an_organizer()), **{"ends_at_1": "09:00", "ticket_types-0-name": "Standard"})

    assert errors_on(response) == {"ends_at": ["An event ends after it starts."]}
    assert not Event.objects.exists()


def test_only_a_draft_that_was_never_public_is_deleted():
    draft, public = a_draft(), an_event()
    client = browser(an_admin())

    asked = client.get(f"{EVENTS}{draft.pk}/delete/")
    deleted = client.post(f"{EVENTS}{draft.pk}/delete/", {"post": "yes"})
    refused = client.post(f"{EVENTS}{public.pk}/delete/", {"post": "yes"})
    in_bulk = act(client, "delete_selected", public, post="yes")
    one_by_one = act(client, "delete_drafts", public, a_draft(), confirmed="yes")

    assert (asked.status_code, deleted.status_code, refused.status_code) == (200, 302, 403)
    assert messages_of(in_bulk)[-1] == "No action selected."
    assert messages_of(one_by_one)[-2:] == [
        f"{public}: Only a draft that was never published can be deleted.",
        "1 event deleted.",
    ]
    assert list(Event.objects.all()) == [public]


# --- Actions ----------------------------------------------------------------------------------------------------------


def test_publishing_names_what_was_refused():
    organizer = an_organizer()
    complete, incomplete = (
        a_draft(organizer=organizer),
        a_draft(organizer=organizer, venue_name="", title="Nowhere yet"),
    )

    response = act(browser(organizer), "publish_selected", complete, incomplete)

    assert messages_of(response) == [f"{incomplete}: Say where the event takes place.", "1 event published."]
    assert set(Event.objects.values_list("title", "status")) == {("Zero to API", "published"), ("Nowhere yet", "draft")}
    moves = StatusChange.objects.filter(subject_id=complete.pk, to_status="published")
    assert moves.get().actor == f"user:{organizer.pk}"


def test_an_organizer_who_awaits_approval_is_told():
    organizer = an_organizer(organizer_status="pending")
    draft = a_draft(organizer=organizer)

    response = act(browser(organizer), "publish_selected", draft)

    assert "has not been approved yet" in messages_of(response)[0]


def test_withdrawing_spares_what_was_booked():
    organizer = an_organizer()
    free, booked = an_event(organizer=organizer), an_event(organizer=organizer)
    sell(booked, 1)

    response = act(browser(organizer), "withdraw_selected", free, booked)

    assert messages_of(response) == [
        f"{booked}: Somebody has booked this event. Cancel it instead.",
        "1 event taken back to draft.",
    ]


def test_cancelling_asks_for_a_reason_first():
    event = an_event()
    client = browser(event.organizer)

    asked = act(client, "cancel_selected", event)
    event.refresh_from_db()
    status_while_asked = event.status
    done = act(client, "cancel_selected", event, confirmed="yes", reason="The hall burnt down.")

    assert "Cancel these events?" in asked.content.decode()
    assert status_while_asked == "published"
    assert messages_of(done) == ["1 event cancelled."]
    event.refresh_from_db()
    assert (event.status, event.cancellation_reason) == ("cancelled", "The hall burnt down.")


def test_the_buttons_on_a_page_are_those_that_lead_somewhere():
    draft = a_draft()
    client = browser(draft.organizer)

    assert [label for _, label in client.get(page_of(draft)).context["row_actions"]] == [
        "Publish",
        "Duplicate",
        "Cancel event",
    ]
    act(client, "publish_selected", draft)
    assert [label for _, label in client.get(page_of(draft)).context["row_actions"]] == [
        "Back to draft",
        "Duplicate",
        "Cancel event",
    ]


def test_a_button_leads_back_to_its_page():
    draft = a_draft()
    client = browser(draft.organizer)

    published = act(client, "publish_selected", draft, from_row="yes")
    asked = act(client, "cancel_selected", draft, from_row="yes")

    assert (published.status_code, published["Location"]) == (302, page_of(draft))
    assert 'name="from_row"' in asked.content.decode()


@pytest.mark.parametrize("chosen", [["x"], ["9" * 30], ["1"] * 201])
def test_forged_choices_change_nothing(chosen: list[str]):
    response = browser(an_organizer()).post(
        EVENTS, {"action": "publish_selected", "index": 0, "_selected_action": chosen}
    )

    assert response.status_code in {200, 302}
    assert messages_of(response)[0].startswith("Choose")


def test_titles_are_shown_as_text():
    event = a_draft(title="<script>alert(1)</script>")
    client = browser(event.organizer)

    for path in (EVENTS, page_of(event), TYPES, f"{EVENTS}{event.pk}/history/", f"{EVENTS}{event.pk}/delete/"):
        assert "<script>alert(1)" not in client.get(path).content.decode(), path
    assert "<script>alert(1)" not in act(client, "cancel_selected", event).content.decode()


# --- History and cost -------------------------------------------------------------------------------------------------


def test_history_tells_every_move():
    event = an_event()
    act(browser(event.organizer), "cancel_selected", event, confirmed="yes", reason="Rain")

    page = browser(event.organizer).get(f"{EVENTS}{event.pk}/history/")

    moves = [(change.from_status, change.to_status, who, change.note) for change, who in page.context["status_changes"]]
    name = event.organizer.username
    assert moves == [
        ("published", "cancelled", name, "Rain"),
        ("draft", "published", name, ""),
        ("", "draft", name, ""),
    ]


@pytest.mark.parametrize(("path", "statements"), [(EVENTS, 8), (TYPES, 7)])
def test_a_longer_list_costs_no_more(path: str, statements: int):
    organizer = an_organizer()
    client = browser(organizer)
    counts = []
    for more in (5, 45):
        for _ in range(more):
            a_draft(organizer=organizer)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(path).status_code == 200
        counts.append(len(queries))

    assert counts == [statements, statements]


def test_a_page_with_more_ticket_types_costs_no_more():
    kinds = [{"name": f"Type {number}", "price": Decimal(number)} for number in range(20)]
    few, many = a_draft(ticket_types=kinds[:2]), a_draft(ticket_types=kinds)
    client = browser(an_admin())
    counts = []
    for event in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page_of(event)).status_code == 200
        counts.append(len(queries))

    assert counts == [7, 7]
