"""An event's names in addresses: readable, each for one event, and each for good."""

import re

import pytest
from rest_framework.test import APIClient

from eventhub_config.tests.races import at_once, outcomes
from events.models import Event, EventSlug
from events.services import delete_draft, publish_event, update_event, withdraw_event
from events.tests.factories import NOW, a_draft, an_event
from users.tests.factories import an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def rename(event: Event, title: str) -> str:
    """Return the slug after a change of the title."""
    return update_event(event_id=event.pk, changes={"title": title}, actor=event.organizer, now=NOW).slug


def found(slug: str) -> list[tuple[int, str]]:
    events = APIClient().get("/api/events/", {"slug": slug}).json()["results"]
    return [(event["id"], event["slug"]) for event in events]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Zero to API", "zero-to-api"),
        ("Straße & Łódź: ein Überblick", "strasse-lodz-ein-uberblick"),
        ("Ærø Smørrebrød", "aero-smorrebrod"),
        ("Введение в Django: щи и борщ", "vvedenie-v-django-shchi-i-borshch"),
        ("Київ, їжа й ґава", "kiyiv-yizha-y-gava"),
        ("Άνοιξη στην Αθήνα", "anoixi-stin-athina"),
        ("\uff21\uff30\uff29\u3000day", "api-day"),  # full width
        ("Zero\u2014to/\u202eAPI 2.0", "zero-to-api-2-0"),
        ("  --Don't \u2019_n\u2019 Panic__--  ", "dont-n-panic"),
        ("X\u030c Files", "x-files"),
    ],
)
def test_are_read_from_the_title(title: str, slug: str) -> None:
    """EVT-1"""
    event = an_event(title=title)

    assert event.slug == slug
    assert Event.objects.get(pk=event.pk).slug == slug


@pytest.mark.parametrize("title", ["日本語の夕べ", "🎉🎉🎉", "مؤتمر", "!!!"])
def test_have_some_letters_where_nothing_can_be_read(title: str) -> None:
    slugs = [a_draft(title=title).slug for _ in range(2)]

    assert all(re.fullmatch("event-[0-9a-z]{6}", slug) for slug in slugs)
    assert len(set(slugs)) == 2


def test_are_cut_between_title_and_tail() -> None:
    title = "a" * 99 + " " + "b" * 60
    first, second = an_event(title=title), an_event(title=title)

    assert first.slug == "a" * 99
    assert re.fullmatch("a{99}-[0-9a-z]{6}", second.slug)


def test_follow_the_title_and_the_old_one_goes_on_leading_here() -> None:
    """EVT-1, EVT-8"""
    event = an_event(title="Zero to API")

    new = rename(event, "From Zero to API")

    assert new == "from-zero-to-api"
    assert found("zero-to-api") == found("from-zero-to-api") == [(event.pk, "from-zero-to-api")]


def test_stay_where_the_title_reads_the_same() -> None:
    other = an_event(title="Zero to API")
    event = an_event(title="Zero to API")

    assert rename(event, "ZERO to API!") == event.slug != other.slug


def test_come_back_with_the_title() -> None:
    an_event(title="Zero to API")
    event = an_event(title="Zero to API")
    rename(event, "Another")

    assert rename(event, "Zero to API") == event.slug
    assert EventSlug.objects.filter(event=event).count() == 2


def test_are_nobody_elses_once_they_were_given() -> None:
    event = an_event(title="Zero to API")
    rename(event, "Another")

    heir, renamed = an_event(title="Zero to API"), an_event(title="Third")
    rename(renamed, "Zero to API")

    renamed.refresh_from_db()
    assert re.fullmatch("zero-to-api-[0-9a-z]{6}", heir.slug)
    assert re.fullmatch("zero-to-api-[0-9a-z]{6}", renamed.slug)
    assert found("zero-to-api") == [(event.pk, "another")]


def test_are_free_again_when_a_draft_is_deleted() -> None:
    draft = a_draft(title="Zero to API")
    rename(draft, "Another")

    delete_draft(event_id=draft.pk, actor=draft.organizer, now=NOW)

    assert EventSlug.objects.count() == 0


def test_of_drafts_do_not_tell_of_other_drafts() -> None:
    """EVT-6: else a stranger would learn from the slug of their own draft that somebody has one of the same title."""
    mine, hidden = a_draft(title="Zero to API"), a_draft(title="Secret plan")
    alike = a_draft(title="Secret plan")
    for draft, base in ((mine, "zero-to-api"), (hidden, "secret-plan"), (alike, "secret-plan")):
        assert re.fullmatch(f"{base}-[0-9a-z]{{6}}", draft.slug)
    rename(mine, "Secret plan")
    mine.refresh_from_db()
    assert re.fullmatch("secret-plan-[0-9a-z]{6}", mine.slug)

    published = publish_event(event_id=mine.pk, actor=mine.organizer, now=NOW)

    assert published.slug == "secret-plan"
    assert found("secret-plan") == [(mine.pk, "secret-plan")]


def test_are_plain_from_the_first_publication_on() -> None:
    draft = a_draft(title="Zero to API")
    first = draft.slug

    publish_event(event_id=draft.pk, actor=draft.organizer, now=NOW)
    withdraw_event(event_id=draft.pk, actor=draft.organizer, now=NOW)
    again = publish_event(event_id=draft.pk, actor=draft.organizer, now=NOW)

    assert again.slug == "zero-to-api"
    assert found(first) == [(draft.pk, "zero-to-api")]
    assert EventSlug.objects.filter(event=draft).count() == 2


def test_of_a_draft_lead_nowhere_for_others() -> None:
    """EVT-6"""
    draft = a_draft(title="A secret plan")
    rename(draft, "A public plan")

    assert found("a-secret-plan") == found("a-public-plan") == []


@pytest.mark.django_db(transaction=True)
def test_of_equal_titles_differ_also_when_they_are_taken_at_once() -> None:
    organizer = an_organizer()

    created = at_once([lambda: an_event(organizer=organizer, title="Zero to API")] * 20)

    assert outcomes(created) == {"ok": 20}
    slugs = set(Event.objects.values_list("slug", flat=True))
    assert len(slugs) == 20
    assert "zero-to-api" in slugs
    assert slugs <= set(EventSlug.objects.values_list("slug", flat=True))


@pytest.mark.django_db(transaction=True)
def test_of_events_that_are_renamed_alike_at_once_differ() -> None:
    events = [an_event(title=f"Plan {number}") for number in range(8)]

    renamed = at_once([lambda event=event: rename(event, "Zero to API") for event in events])

    assert outcomes(renamed) == {"ok": 8}
    assert len(set(renamed)) == 8
    assert "zero-to-api" in renamed
    assert EventSlug.objects.count() == 24  # of each, as a draft, as published and as renamed
