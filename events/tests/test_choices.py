"""Who sends a word that is not taken is told which ones are."""

import pytest

from events.tests.factories import a_draft
from users.tests.factories import a_client_of

pytestmark = pytest.mark.django_db


def test_a_refused_choice_names_those_that_are_taken() -> None:
    draft = a_draft()

    answer = a_client_of(draft.organizer).patch(f"/api/events/{draft.pk}/", {"format": "hologram"})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (400, "format", "invalid_choice")
    assert error["message"] == "Send one of in_person, online, hybrid."
    draft.refresh_from_db()
    assert draft.format == "in_person"
