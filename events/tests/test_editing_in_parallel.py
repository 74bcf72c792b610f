"""Organizers who do the same thing in the same moment: each gets an answer, and none of them is an error of ours."""

import pytest

from eventhub_config.tests.races import at_once, outcomes
from events.models import Event
from events.services import create_ticket_type, delete_draft, delete_ticket_type
from events.tests.factories import NOW, a_draft
from users.tests.factories import an_organizer

pytestmark = pytest.mark.django_db(transaction=True)


def test_equal_titles_get_slugs_of_their_own() -> None:
    organizer = an_organizer()

    created = at_once([lambda: a_draft(organizer=organizer)] * 8)

    assert outcomes(created) == {"ok": 8}
    assert Event.objects.filter(slug__startswith="zero-to-api").count() == 8


def test_a_draft_is_deleted_once_and_then_not_there() -> None:
    draft = a_draft()

    deleted = at_once([lambda: delete_draft(event_id=draft.pk, actor=draft.organizer, now=NOW)] * 4)

    assert outcomes(deleted) == {"ok": 1, "not_found": 3}


def test_a_ticket_type_is_deleted_once_and_then_not_there() -> None:
    draft = a_draft()
    kind = create_ticket_type(event_id=draft.pk, values={"name": "VIP"}, actor=draft.organizer, now=NOW)

    deleted = at_once([lambda: delete_ticket_type(ticket_type_id=kind.pk, actor=draft.organizer, now=NOW)] * 4)

    assert outcomes(deleted) == {"ok": 1, "not_found": 3}
