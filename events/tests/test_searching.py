"""Events are found by what they are about, however it is spelt; and nobody finds what they may not see."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from events.models import Event, EventSearch, SearchWord, Session
from events.search_text import distance, query_words, words_of
from events.services import cancel_event, update_event
from events.services.searching import refresh, refresh_stale
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.services import update_own_account
from users.tests.factories import a_client_of, a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
with_typos = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite matches plainly")


def found(text: str, who: CustomUser | None = None, **more: str) -> list[str]:
    """Return the titles that a search finds, in order."""
    client = APIClient() if who is None else a_client_of(who)
    answer = client.get("/api/events/", {"search": text, **more})
    assert answer.status_code == 200, answer.content
    return [event["title"] for event in answer.json()["results"]]


@pytest.mark.parametrize(
    ("field", "value", "query"),
    [
        ("title", "Weaving for everyone", "weaving"),
        ("summary", "An evening about looms", "LOOMS"),
        ("description", "Bring wool.\n\nWe have shuttles.", "shuttles"),
        ("venue_name", "Łódź Textile Museum", "lodz museum"),
        ("city", "Århus", "arhus"),
        ("skills", ["Double weave", "Dyeing"], "dyeing"),
    ],
)
def test_an_event_is_found_by_its(field: str, value: Any, query: str) -> None:
    """EVT-8."""
    an_event(title="Something else")
    event = an_event(**{"title": "Weaving"} | {field: value})

    assert found(query) == [event.title]


def test_an_event_is_found_by_its_organizers_name_and_by_the_new_one_once_that_changes() -> None:
    organizer = an_organizer(first_name="Ada", last_name="Lovelace")
    an_event(title="Engines", organizer=organizer)
    an_event(title="Something else")
    assert found("lovelace") == ["Engines"]

    update_own_account(user_id=organizer.pk, changes={"last_name": "Byron"}, actor=organizer, now=NOW)
    for document in EventSearch.objects.filter(stale_since__isnull=False):
        refresh_stale(event_id=document.pk, now=NOW)

    assert (found("lovelace"), found("byron")) == ([], ["Engines"])


def test_an_edit_is_found_at_once_and_what_it_took_away_no_more() -> None:
    event = an_event(title="Old name")

    update_event(event_id=event.pk, changes={"title": "Fresh name"}, actor=event.organizer, now=NOW)

    assert (found("old"), found("fresh")) == ([], ["Fresh name"])


def test_every_word_must_occur_and_the_beginning_of_a_word_suffices() -> None:
    an_event(title="Introduction to Kubernetes")
    an_event(title="Introduction to Weaving")

    assert found("intro kube") == ["Introduction to Kubernetes"]
    assert found("introduction kubernetes weaving") == []
    assert found("bernet") == []


def test_words_that_only_join_others_are_passed_over() -> None:
    an_event(title="Kubernetes: an introduction")

    assert found("the introduction to Kubernetes") == ["Kubernetes: an introduction"]
    assert found("   ,;! ") == []


@with_typos
@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Python workshop", "pyhton"),
        ("Kubernetes in production", "kubernets"),
        ("Photography", "fotography"),
        ("Программирование на Python", "програмирование"),
        ("Εισαγωγή στη φιλοσοφία", "φιλοσφια"),
        ("Café & Crêpes", "crepse"),
    ],
)
def test_a_misspelt_word_is_understood(title: str, query: str) -> None:
    an_event(title="Something else entirely")
    an_event(title=title)

    assert found(query) == [title]


@with_typos
def test_a_word_that_exists_is_taken_at_its_letters() -> None:
    an_event(title="Trains")
    an_event(title="Brains")

    assert found("trains") == ["Trains"]


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("東京で学ぶ機械学習入門", "機械学習"),
        ("東京で学ぶ機械学習入門", "京"),
        ("Введение в анализ данных", "анализ данных"),
        ("हिन्दी कार्यशाला", "हिन्दी"),
        ("C++ and C# for Java people", "c++"),
        ("Straße & Brücke", "STRASSE brucke"),
    ],
)
def test_every_script_is_found(title: str, query: str) -> None:
    an_event(title="Something else entirely")
    an_event(title=title)

    assert found(query) == [title]


@with_typos
def test_the_best_come_first_unless_an_order_is_asked_for() -> None:
    an_event(title="Gardens", description="A talk on roses, and on roses once more.", starts_at=START)
    an_event(title="Roses", starts_at=START + timedelta(days=2))

    assert found("roses") == ["Roses", "Gardens"]
    assert found("roses", ordering="starts_at") == ["Gardens", "Roses"]


def test_a_search_goes_with_every_filter() -> None:
    an_event(title="Roses here", city="Graz")
    an_event(title="Roses there", city="Linz")

    assert found("roses", city="graz") == ["Roses here"]


def test_a_cancelled_event_is_found_and_says_so() -> None:
    event = an_event(title="Roses")
    cancel_event(event_id=event.pk, reason="Frost", actor=event.organizer, now=NOW)

    assert found("roses") == ["Roses"]
    assert found("roses", status="published") == []


def test_a_draft_is_found_by_those_who_may_read_it_only() -> None:
    """EVT-6."""
    draft = a_draft(title="Xylophone secrets")

    assert found("xylophone", draft.organizer) == ["Xylophone secrets"]
    for stranger in (None, a_user(), an_organizer()):
        assert found("xylophone", stranger) == []
        assert found("xylofone", stranger) == []


@with_typos
def test_a_draft_does_not_change_what_strangers_find() -> None:
    """EVT-6: neither as what a misspelt word was meant to be, nor as a match that makes a guess unnecessary."""
    an_event(title="Marker pens")
    before = [found(query) for query in ("markers", "markerz", "marke")]

    a_draft(title="Markerz markers")

    assert [found(query) for query in ("markers", "markerz", "marke")] == before
    assert not SearchWord.objects.filter(word="markerz").exists()


def test_a_search_asks_a_fixed_number_of_statements(django_assert_num_queries: Any, settings: Any) -> None:
    settings.LIST_CACHE_SECONDS = 0
    for number in range(3):
        an_event(title=f"Roses {number}")
    postgres = connection.vendor == "postgresql"

    with django_assert_num_queries(3 if postgres else 2):  # whether it matches, the page, its ticket types
        assert len(found("roses")) == 3
    with django_assert_num_queries(3 if postgres else 1):  # whether it matches, what was meant, the page
        assert found("zzzzzzzz") == []


def test_a_skill_is_found_whole() -> None:
    an_event(title="Loom", skills=["Double Weave"])
    an_event(title="Half", skills=["Double"])

    body = APIClient().get("/api/events/?skill=double%20WEAVE").json()

    assert [event["title"] for event in body["results"]] == ["Loom"]


def test_skills_of_signs_are_told_apart() -> None:
    an_event(title="Shout", skills=["!!!"])
    an_event(title="Ask", skills=["???"])

    body = APIClient().get("/api/events/", {"skill": "!!!"}).json()

    assert [event["title"] for event in body["results"]] == ["Shout"]


def test_a_skill_of_letters_that_stand_for_many_is_found_too() -> None:
    """Sixty times one sign for kilometre: more bytes than PostgreSQL takes in a word."""
    skill = "\u3316" * 60
    an_event(title="Rulers", skills=[skill])

    body = APIClient().get("/api/events/", {"skill": skill}).json()

    assert [event["title"] for event in body["results"]] == ["Rulers"]


def test_a_programme_of_more_words_than_are_kept_is_found_by_the_first_of_them() -> None:
    """500 sessions in Chinese are 160,000 pairs: more than PostgreSQL takes in a vector."""
    draw = random.Random(1)
    event = an_event(title="Roses", skills=["Weaving"])
    times = {"starts_at": event.starts_at, "ends_at": event.ends_at}
    Session.objects.bulk_create(
        Session(event=event, title=_in_chinese(draw), speaker=_in_chinese(draw), **times) for _ in range(500)
    )
    first = Session.objects.in_order()[0].title

    refresh(event.pk)

    assert found("roses") == found(first[:4]) == ["Roses"]
    assert [event["title"] for event in APIClient().get("/api/events/?skill=weaving").json()["results"]] == ["Roses"]


def _in_chinese(draw: random.Random) -> str:
    return "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(160))


@pytest.mark.parametrize(
    "query", ["'", "\\", "a:*b", "!&|()", "%", "_", "<->", "':*", "=skill", "\u0301", "🎉", "x" * 200]
)
def test_signs_are_no_operators(query: str) -> None:
    an_event(title="Roses")

    assert found(query) == []


def test_words_are_cut_and_compared_alike() -> None:
    assert list(words_of("Ärzte-Kongress: node.js, C++ & ИСКУССТВО; 機械学習")) == [
        "arzte", "kongress", "node", "js", "c++", "искусство", "機械", "械学", "学習", "習",
    ]  # fmt: skip
    assert query_words("the art of The Deal") == ["art", "deal"]
    assert query_words("the of") == ["the", "of"]


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("python", "python", 0), ("pyhton", "python", 1), ("pyton", "python", 1), ("pithon", "python", 1), ("ab", "ba", 1),
     ("kitten", "sitting", 3), ("abcdef", "uvwxyz", 3)],
)  # fmt: skip
def test_slips_are_counted_up_to_a_limit(one: str, other: str, letters: int) -> None:
    assert distance(one, other, 2) == letters


def test_a_deleted_draft_leaves_no_words() -> None:
    draft = a_draft()
    assert EventSearch.objects.filter(event=draft).exists()

    Event.objects.filter(pk=draft.pk).delete()

    assert not EventSearch.objects.exists()
