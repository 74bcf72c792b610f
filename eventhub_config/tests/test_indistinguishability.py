"""What one may not know about looks in every way as if it were not there.

The same requests are sent twice: while the hidden objects exist, and after they were undone. Nothing that a stranger
gets may differ: not by id, action, filter, search, ordering, cursor or count, nor by a reference in a body. A second
look sees to it that no text of theirs is found in any answer at all.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import models
from django.http import HttpResponse
from pytest_django import Settings

from bookings.models import Booking, Ticket, Waitlist
from eventhub_config.tests.contract import Operation, operations
from eventhub_config.tests.world import STRANGERS, World, a_world, undone
from events.models import Event, EventSlug, TicketType
from events.services.searching import refresh
from events.tests.factories import a_draft, a_session
from notifications.models import Notification
from payments.models import Invoice, Payment, Refund
from payments.tests.tampering import unguarded

pytestmark = pytest.mark.django_db

MARKER = "Xylophagous"
# These differ from answer to answer, whatever is asked for.
PASSING = {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}


# --- What is hidden ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hidden:
    """Objects that strangers may not know about, and every way in which they could be asked for."""

    # By resource, as in the path.
    ids: dict[str, int]
    # By query parameter: what only somebody who knows of them could send.
    values: dict[str, list[Any]]
    # (operation, body) that name one of them.
    references: list[tuple[str, dict[str, Any]]]
    # What a stranger's lists could show of them.
    lists: frozenset[str]


def a_hidden_draft(world: World) -> Hidden:
    """Make a draft of the organizer's that says ``MARKER`` wherever it can."""
    draft = a_draft(organizer=world.people["organizer"], price="11.00", now=world.now)
    kind = TicketType.objects.get(event=draft)
    _mark(draft, leave={"currency", "timezone", "language", "country"})
    Event.objects.filter(pk=draft.pk).update(slug=MARKER.lower())
    EventSlug.objects.create(slug=MARKER.lower(), event=draft)
    _mark(kind)
    session = a_session(draft, now=world.now)
    _mark(session)
    refresh(draft.pk)
    return Hidden(
        ids={"events": draft.pk, "sessions": session.pk, "ticket-types": kind.pk},
        values={
            "event": [draft.pk],
            "slug": [MARKER.lower()],
            "search": [MARKER],
            "skill": [MARKER],
            "city": [MARKER],
            "speaker": [MARKER],
            "room": [MARKER],
            "ticket_type": [kind.pk],
        },
        references=[
            ("bookings_create", {"event": draft.pk}),
            ("bookings_create", {"event": draft.pk, "tickets": [{"ticket_type": kind.pk}]}),
            ("bookings_create", {"event": world.pk("free_event"), "tickets": [{"ticket_type": kind.pk}]}),
            ("waitlist_create", {"event": draft.pk}),
            ("waitlist_create", {"event": world.pk("full_event"), "ticket_type": kind.pk}),
            ("sessions_create", {"event": draft.pk, "title": "Mine"} | _times(draft)),
            ("ticket_types_create", {"event": draft.pk, "name": "Mine"}),
        ],
        lists=frozenset(
            {
                "events", "sessions", "ticket-types", "bookings", "tickets", "payments", "refunds", "invoices",
                "notifications", "waitlist",
            }
        ),
    )  # fmt: skip


def _times(event: Event) -> dict[str, str]:
    return {"starts_at": event.starts_at.isoformat(), "ends_at": event.ends_at.isoformat()}


PURCHASED = ("booking", "ticket", "payment", "refund", "invoice", "notification")


def a_hidden_purchase(world: World) -> Hidden:
    """Mark all that the owner booked and paid for, a refund and what they were told about it."""
    hidden = {name: world.objects[name] for name in PURCHASED}
    for row in hidden.values():
        _mark(row, leave={"currency", "number"})
    for ticket in Ticket.objects.filter(booking=hidden["booking"]):
        _mark(ticket)
    unpaid, event = world.pk("unpaid_booking"), world.pk("event")
    return Hidden(
        ids={f"{name}s": row.pk for name, row in hidden.items()} | {"waitlist": world.pk("offer")},
        values={
            "event": [event],
            "booking": [hidden["booking"].pk, unpaid],
            "payment": [hidden["payment"].pk],
            "reference": [hidden["booking"].reference],
            "code": [hidden["ticket"].code],
            "number": [hidden["invoice"].number],
        },
        references=[("payments_create", {"booking": unpaid}), ("payments_create", {"booking": hidden["booking"].pk})],
        lists=frozenset({"bookings", "tickets", "waitlist", "payments", "refunds", "invoices", "notifications"}),
    )


# Nothing in these is a text of anybody's.
WORDLESS = {"waitlist"}
# What would stand in columns that are empty so far.
SAID_IN: dict[str, Any] = {"special_requirements": {"other": ""}, "billing": {"name": ""}, "skills": [""]}


def _marked(value: Any) -> Any:
    """Return a JSON value with every text in it replaced, except those of a certain form."""
    if isinstance(value, dict):
        formed = {name for name in value if name == "country" or name.endswith("_at")}
        return {name: item if name in formed else _marked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return MARKER if isinstance(value, str) else value


def _mark(row: models.Model, leave: frozenset[str] | set[str] = frozenset()) -> None:
    """Write ``MARKER`` into every text of a row, past the services that would refuse or copy it."""
    marked: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        if column.choices or column.unique or column.name in leave:
            continue
        if isinstance(column, models.URLField):
            marked[column.name] = f"https://{MARKER}.example/"
        elif isinstance(column, models.CharField | models.TextField):
            marked[column.name] = MARKER[: column.max_length]
        elif isinstance(column, models.JSONField):
            marked[column.name] = _marked(getattr(row, column.name) or SAID_IN.get(column.name, []))
    with unguarded():
        type(row)._base_manager.filter(pk=row.pk).update(**marked)


# With the one who may see it.
INSIDERS = [(a_hidden_draft, "organizer"), (a_hidden_purchase, "owner")]


# --- Every way to ask -------------------------------------------------------------------------------------------------

# What each query parameter is tried with besides what is hidden. A new parameter has to be named here.
TRIED: dict[str, list[Any]] = {
    "after": [1],
    "booking": [],
    "booking_status": [],
    "category": ["workshop"],
    "changed_since": ["0"],
    "checked_in": ["true", "false"],
    "city": [],
    "code": [],
    "country": ["DE"],
    "created_after": ["2020-01-01T00:00:00Z"],
    "created_before": ["2100-01-01T00:00:00Z"],
    "currency": ["EUR"],
    "cursor": [""],
    "ends_after": ["2020-01-01T00:00:00Z"],
    "event": [],
    "format": ["in_person"],
    "is_active": ["true"],
    "is_bookable": ["true", "false"],
    "is_free": ["true", "false"],
    "is_given_up": ["true", "false"],
    "is_read": ["false"],
    "is_sent": ["true", "false"],
    "issued_after": ["2020-01-01T00:00:00Z"],
    "issued_before": ["2100-01-01T00:00:00Z"],
    "kind": ["invoice"],
    "language": ["en"],
    "number": [],
    "ordering": [],  # all that the document lists
    "organizer": ["organizer"],  # a person of the world
    "organizer_status": ["approved"],
    "page": [1, 2],
    "page_size": [1],
    "payment": [],
    "price_max": ["100"],
    "price_min": ["1"],
    "rating_min": ["1"],
    "reference": [],
    "room": [],
    "search": ["plan", "zero"],
    "skill": [],
    "slug": [],
    "speaker": [],
    "starts_after": ["2020-01-01T00:00:00Z"],
    "starts_before": ["2100-01-01T00:00:00Z"],
    "status": [],  # all that the document lists
    "ticket_type": [],
    "token": ["x"],
    "type": ["confirmation"],
    "user_type": ["attendee"],
}


def test_every_query_parameter_is_tried() -> None:
    assert set(TRIED) == {name for operation in operations().values() for name in operation.parameters}


def test_every_resource_with_an_id_is_hidden_or_public() -> None:
    hidden = {"events", "sessions", "ticket-types", "waitlist", *(f"{name}s" for name in PURCHASED)}

    # One may see approved organizers, and administrators see all users: the authorization matrix has both.
    assert {it.resource for it in operations().values() if "{id}" in it.path} == hidden | {"organizers", "users"}


Ask = tuple[str, str, str]  # method, address, body


def asks(world: World, hidden: Hidden) -> Iterator[Ask]:
    for operation in operations().values():
        method = operation.method.upper()
        if "{id}" in operation.path:
            if operation.resource in hidden.ids:
                url = operation.url(hidden.ids[operation.resource])
                yield method, url, "{}"
                yield from ((method, f"{url}?{query}", "{}") for query in _queries(operation, world, hidden))
        elif method == "GET":
            yield method, operation.path, ""
            yield from ((method, f"{operation.path}?{query}", "") for query in _queries(operation, world, hidden))
    for operation_id, body in hidden.references:
        operation = operations()[operation_id]
        yield operation.method.upper(), operation.path, json.dumps(body)


def _queries(operation: Operation, world: World, hidden: Hidden) -> Iterator[str]:
    for name, parameter in operation.parameters.items():
        schema = parameter["schema"]
        choices = schema.get("enum") or schema.get("items", {}).get("enum") or []
        for value in [*(TRIED[name] or choices), *hidden.values.get(name, [])]:
            yield f"{name}={world.pk(value) if name == 'organizer' else value}"


def answer_to(world: World, identity: str, ask: Ask) -> HttpResponse:
    method, url, body = ask
    with undone():
        answered: HttpResponse = world.client(identity).generic(method, url, body, "application/json")
    return answered


def comparable(answer: HttpResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = sorted((name, value) for name, value in answer.items() if name not in PASSING)
    return answer.status_code, answer.content.replace(answer["X-Request-ID"].encode(), b""), headers


# --- The two looks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", STRANGERS)
def test_a_draft_and_no_draft_answer_alike(identity: str, settings: Settings) -> None:
    world = a_world()
    with undone():
        hidden = a_hidden_draft(world)
        requests = list(asks(world, hidden))
        with_it = [comparable(answer_to(world, identity, ask)) for ask in requests]
    settings.REDIS_PREFIX += "-anew"  # no answer that was kept

    without_it = [comparable(answer_to(world, identity, ask)) for ask in requests]

    for ask, there, gone in zip(requests, with_it, without_it, strict=True):
        assert there == gone, ask
    assert len(requests) > 50


@pytest.mark.parametrize("identity", STRANGERS)
def test_a_purchase_and_no_purchase_answer_alike(identity: str, settings: Settings) -> None:
    """Seats that were taken are told to everyone; who took them, and whether they paid, is not."""
    world = a_world()
    hidden = a_hidden_purchase(world)
    requests = [ask for ask in asks(world, hidden) if ask[1].split("/")[2] in hidden.lists]
    with_it = [comparable(answer_to(world, identity, ask)) for ask in requests]
    with undone():
        _erase_purchases(world)
        settings.REDIS_PREFIX += "-anew"

        without_it = [comparable(answer_to(world, identity, ask)) for ask in requests]

    for ask, there, gone in zip(requests, with_it, without_it, strict=True):
        assert there == gone, ask
    assert len(requests) > 50


def _erase_purchases(world: World) -> None:
    """Remove the rows as if they had never been: nothing of the project can do that."""
    from payments.models import InvoiceDocument, InvoiceRequest

    Notification.objects.filter(user=world.people["owner"]).delete()
    with unguarded():
        for model in (InvoiceRequest, InvoiceDocument, Invoice, Refund, Payment, Waitlist, Ticket, Booking):
            rows = model._base_manager.all()
            rows._raw_delete(rows.db)


@pytest.mark.parametrize(("hide", "insider"), INSIDERS, ids=["draft", "purchase"])
@pytest.mark.parametrize("identity", STRANGERS)
def test_no_word_of_it_is_in_any_answer(identity: str, hide: Callable[[World], Hidden], insider: str) -> None:
    """RELIABILITY H8"""
    world = a_world()
    hidden = hide(world)

    for ask in asks(world, hidden):
        if ask[0] == "GET":
            answer_to(world, insider, ask)  # what was kept of it must not be told to the next who asks
        answer = answer_to(world, identity, ask)
        told = answer.content + repr(sorted(answer.items())).encode()
        assert MARKER.lower().encode() not in told.lower(), ask


@pytest.mark.parametrize(("hide", "insider"), INSIDERS, ids=["draft", "purchase"])
def test_the_same_look_finds_it_for_those_who_may_see_it(hide: Callable[[World], Hidden], insider: str) -> None:
    """The control: a look that cannot find the marker proves nothing."""
    world = a_world()
    hidden = hide(world)

    found = {
        ask[1].split("/")[2]
        for ask in asks(world, hidden)
        if ask[0] == "GET" and MARKER.encode() in answer_to(world, insider, ask).content
    }

    assert found == set(hidden.ids) - WORDLESS


@pytest.mark.parametrize(
    "resource", ["bookings", "events", "invoices", "notifications", "payments", "refunds", "tickets", "waitlist"]
)
def test_a_problem_does_not_repeat_the_id(resource: str) -> None:
    world = a_world()

    answer = world.client("stranger").get(f"/api/{resource}/987654321/")

    assert answer.status_code == 404
    assert b"987654321" not in answer.content
