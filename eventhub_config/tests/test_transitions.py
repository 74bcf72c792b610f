"""States move along one table only, and every move leaves history: who, when, why."""

from datetime import UTC, datetime
from itertools import product

import pytest
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.actors import System, actor_label, is_person
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.shared.transitions import StatusModel, move_all, status_models
from events.models import Event
from users.models import CustomUser
from users.tests.factories import a_user

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
JOB = System("a_job")

# ARCHITECTURE 2, "States": the only moves there are, as "from > to". A first state has nothing before it.
MOVES = {
    "events.event": """
        > draft
        draft > published    published > ongoing    ongoing > completed    published > draft
        draft > cancelled    published > cancelled    ongoing > cancelled
    """,
    "bookings.booking": """
        > pending    > confirmed
        pending > confirmed    pending > cancelled    pending > expired    confirmed > cancelled
        confirmed > no_show    no_show > confirmed    expired > confirmed
    """,
    "bookings.ticket": """
        > valid
        valid > checked_in    checked_in > valid    valid > cancelled    checked_in > cancelled
    """,
    "bookings.waitlist": """
        > waiting
        waiting > offered    waiting > left    waiting > closed
        offered > accepted    offered > declined    offered > lapsed    offered > left    offered > closed
    """,
    "payments.payment": """
        > pending
        pending > processing    pending > failed    pending > cancelled    pending > completed
        processing > completed    processing > failed    failed > completed
        completed > partially_refunded    completed > refunded    partially_refunded > refunded
    """,
    "payments.refund": """
        > requested
        requested > processing    processing > completed    processing > failed    failed > processing
    """,
    "notifications.notification": """
        > unsent
        unsent > sending    sending > sent    sending > failed    failed > unsent
    """,
}


def promised(label: str) -> set[tuple[str, str]]:
    moves = [move.strip() for line in MOVES[label].splitlines() for move in line.split("    ") if move.strip()]
    return {(before.strip(), after.strip()) for before, after in (move.split(">") for move in moves)}


def test_every_model_with_states_has_its_table_here() -> None:
    assert {model._meta.label_lower for model in status_models()} == set(MOVES)


@pytest.mark.parametrize("model", status_models(), ids=lambda model: model._meta.label_lower)
def test_the_tables_are_as_promised(model: type[StatusModel]) -> None:
    moves = {("", first) for first in model.INITIAL}
    moves |= {(before, after) for before, targets in model.TRANSITIONS.items() for after in targets}

    assert moves == promised(model._meta.label_lower)


@pytest.mark.parametrize("model", status_models(), ids=lambda model: model._meta.label_lower)
def test_any_other_move_is_refused_and_changes_nothing(model: type[StatusModel]) -> None:
    states = [value for value, _label in model._meta.get_field("status").choices]  # type: ignore[union-attr]
    others = set(product(states, states)) - promised(model._meta.label_lower)

    for before, after in others:
        row = model(status=before, status_changed_at=NOW)
        with pytest.raises(InvalidTransition):
            row.move_to(after, actor=JOB, at=NOW)  # touches no database: there is none in this test
        assert row.status == before
    assert len(others) >= len(states)  # at least: none moves to itself


@pytest.mark.django_db
def test_a_move_saves_what_it_names_and_leaves_history() -> None:
    booking = a_booking(price=5)
    person = a_user()
    Booking.objects.filter(pk=booking.pk).update(cancellation_reason="written meanwhile")
    booking.confirmed_at, booking.cancellation_reason = NOW, "not named"

    booking.move_to(Booking.Status.CONFIRMED, actor=person, at=NOW, note="by hand", also=["confirmed_at"])

    booking.refresh_from_db()
    assert (booking.status, booking.status_changed_at, booking.confirmed_at) == ("confirmed", NOW, NOW)
    assert booking.cancellation_reason == "written meanwhile"
    change = StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk).latest("pk")
    assert (change.from_status, change.to_status) == ("pending", "confirmed")
    assert (change.actor, change.note, change.at) == (f"user:{person.pk}", "by hand", NOW)


@pytest.mark.django_db
def test_many_move_together_or_not_at_all(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    bookings = [a_booking(price=5) for _ in range(3)]
    before = StatusChange.objects.count()

    with django_assert_num_queries(2):
        move_all(bookings, Booking.Status.CANCELLED, actor=JOB, at=NOW, note="n" * 300)

    assert {booking.status for booking in Booking.objects.all()} == {"cancelled"}
    changes = StatusChange.objects.order_by("pk")[before:]
    assert [(change.subject_id, change.to_status) for change in changes] == [(it.pk, "cancelled") for it in bookings]
    assert {(change.actor, len(change.note)) for change in changes} == {("system:a_job", 255)}

    bookings.append(a_booking(price=5))
    with pytest.raises(InvalidTransition):
        move_all(bookings, Booking.Status.CANCELLED, actor=JOB, at=NOW)

    assert Booking.objects.get(pk=bookings[-1].pk).status == "pending"
    move_all([], Booking.Status.CANCELLED, actor=JOB, at=NOW)


def test_an_actor_is_a_person_or_a_job() -> None:
    person = CustomUser(pk=7)

    assert (actor_label(person), actor_label(JOB)) == ("user:7", "system:a_job")
    assert (is_person(person, 7), is_person(person, 8), is_person(JOB, 7)) == (True, False, False)


@pytest.mark.django_db
@pytest.mark.parametrize("column", sorted(Event.PROTECTED_COLUMNS))
def test_an_edit_does_not_write_what_is_protected(column: str) -> None:
    """RELIABILITY 5: five sold seats vanished after an edit of the title."""
    event = a_booking().event
    stale = Event.objects.get(pk=event.pk)
    picture = StoredImage.objects.create(purpose="cover", uploaded_by=1, width=1, height=1, created_at=NOW)
    changed = {
        "seats_taken": 5,
        "review_count": 3,
        "average_rating": 4,
        "lowest_price": 6,
        "status": "cancelled",
        "cover": picture,
    }.get(column, NOW)
    Event.objects.filter(pk=event.pk).update(**{column: changed})

    stale.title = "Another"
    stale.save()

    fresh = Event.objects.get(pk=event.pk)
    assert fresh.title == "Another"
    assert getattr(fresh, column) == changed
