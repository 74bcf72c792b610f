"""Finding events by words: documents kept beside the events, and what a query asks of them.

On PostgreSQL a document is a ``tsvector`` under a GIN index, and a misspelt word is looked up by its trigrams among the
words of public events. On SQLite a document is the same words as text. See docs/decisions/search.md.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, pairwise
from typing import NamedTuple

from django.db import connection
from django.db.models import FloatField, QuerySet
from django.db.models.expressions import RawSQL

from eventhub_config.shared.postgres import on_postgres
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event, EventSearch, SearchWord, Session
from events.search_text import WORD_LENGTH, distance, label_of_skill, query_words, vector_of, words_of

CANDIDATES = 40  # words like a misspelt one that are looked at
MEANT = 4  # of them, how many it may stand for
GUESSED = 4  # words of a query that are taken as misspelt, the longest ones: each is a search by itself

# Given in order, so that two events with the same new words do not wait for each other crosswise.
_KEEP_WORDS = f"INSERT INTO {SearchWord._meta.db_table} (word) VALUES {{}} ON CONFLICT DO NOTHING"  # noqa: S608
_KEEP_DOCUMENT = (
    f"INSERT INTO {EventSearch._meta.db_table} (event_id, words, vector) VALUES (%s, %s, %s::tsvector)"  # noqa: S608
    " ON CONFLICT (event_id) DO UPDATE SET words = excluded.words, vector = excluded.vector, stale_since = NULL"
)
# Materialized: from a LIMIT around it the planner would conclude that reading the table soon finds a match.
_MATCHING = (
    f"WITH matching AS MATERIALIZED (SELECT event_id FROM {EventSearch._meta.db_table} WHERE vector @@ %s::tsquery)"  # noqa: S608
    " SELECT event_id FROM matching"
)
# 1: divided by 1 + the logarithm of the length, so that a long description is no advantage.
_RANK = (
    f"(SELECT ts_rank(vector, %s::tsquery, 1) FROM {EventSearch._meta.db_table}"  # noqa: S608
    f" WHERE event_id = {Event._meta.db_table}.id)"
)


class Document(NamedTuple):
    """The words of an event, by weight, and those that stand for a whole skill."""

    parts: list[tuple[str, list[str]]]
    labels: list[str]

    @property
    def text(self) -> str:
        """The form that SQLite asks: a space before and after each word."""
        distinct = dict.fromkeys(chain(*(words for _, words in self.parts), self.labels))
        return f" {' '.join(distinct)} "


def refresh(event_id: int) -> None:
    """Draw an event's words anew, after an edit of it or of its sessions. Call inside the edit's unit of work.

    Of a new event the caller holds the organizer's lock: until it is committed, ``outdate_documents_of`` misses it.
    """
    if on_postgres():
        # First: whoever waits for somebody who gives the organizer another name must not have read the old one yet.
        bool(EventSearch.objects.select_for_update(no_key=True).filter(pk=event_id).values_list("pk"))
    event = Event.objects.select_related("organizer").get(pk=event_id)
    document = document_of(event, Session.objects.filter(event=event).in_order())
    if not on_postgres():
        EventSearch.objects.update_or_create(event=event, defaults={"words": document.text, "stale_since": None})
        return
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_DOCUMENT, [event_id, document.text, vector_of([("D", document.labels), *document.parts])])
        # Only of what everybody may read: what a word was meant to be must not tell of drafts.
        words = sorted({word for _, part in document.parts for word in part}) if event.published_at else []
        if words:
            cursor.execute(_KEEP_WORDS.format(", ".join(["(%s)"] * len(words))), words)


@unit_of_work
def refresh_stale(*, event_id: int, now: datetime) -> None:
    """Draw an event's words anew if they have grown old; twice does no harm."""
    if EventSearch.objects.select_for_update(no_key=True).filter(pk=event_id, stale_since__isnull=False).exists():
        refresh(event_id)


def outdate_documents_of(*, organizer_id: int, now: datetime) -> int:
    """Note that an organizer's name has changed in the words of all their events; return how many. One statement."""
    return EventSearch.objects.filter(event__organizer_id=organizer_id).update(stale_since=now)


def document_of(event: Event, sessions: Iterable[Session]) -> Document:
    parts = [
        ("A", _words(event.title)),
        ("B", _words(*event.skills, event.organizer.display_name, event.venue_name, event.city)),
        ("B", _words(*(text for session in sessions for text in (session.title, session.speaker)))),
        ("C", _words(event.summary, event.get_category_display(), event.address)),
        ("D", [*_words(event.description), *_joined(event.title), *_joined(event.get_category_display())]),
    ]
    return Document(parts, [label_of_skill(skill) for skill in event.skills])


def found_by(events: QuerySet[Event], text: str) -> QuerySet[Event]:
    """Return those of the events in which every word of a query occurs, the best first.

    A word matches words that it begins. If nothing is found on PostgreSQL, each is also taken as a misspelling of those
    of the public events' words that are most like it.
    """
    words = query_words(text)
    if not words:
        return events.none()
    if not on_postgres():
        documents = EventSearch.objects.all()
        for word in words:
            documents = documents.filter(words__contains=f" {word}")
        return events.filter(pk__in=documents.values("pk"))
    query = _query(words, {})
    matching = events.filter(pk__in=RawSQL(_MATCHING, [query]))  # noqa: S611 (our own names, and parameters)
    # Asked of what the caller may see: whether a hidden draft holds a word must not show in what else is found.
    if not matching.exists():
        query = _query(words, _meanings(sorted(words, key=len)[-GUESSED:]))
        matching = events.filter(pk__in=RawSQL(_MATCHING, [query]))  # noqa: S611
    return matching.annotate(relevance=RawSQL(_RANK, [query], output_field=FloatField()))  # noqa: S611


def by_relevance(events: QuerySet[Event]) -> QuerySet[Event]:
    """Put events that ``found_by`` returned in order: the best first, equals by their start."""
    ranked = "relevance" in events.query.annotations
    return events.order_by(*(["-relevance"] if ranked else []), "starts_at", "pk")


def teaching(events: QuerySet[Event], skill: str) -> QuerySet[Event]:
    """Return those of the events that name exactly this skill, whatever its case and accents."""
    label = label_of_skill(skill)
    if not on_postgres():
        return events.filter(pk__in=EventSearch.objects.filter(words__contains=f" {label} ").values("pk"))
    return events.filter(pk__in=RawSQL(_MATCHING, [f"'{label}'"]))  # noqa: S611


def _words(*texts: str) -> list[str]:
    return [word for text in texts for word in words_of(text)]


def _joined(text: str) -> list[str]:
    """Return each two neighbouring words as one: some write Master Class, and others masterclass."""
    return [(one + other)[:WORD_LENGTH] for one, other in pairwise(words_of(text))]


def _query(words: list[str], meanings: dict[str, list[str]]) -> str:
    """Return a ``tsquery``: all of the words, each as a beginning or as one of its meanings."""
    # Words are made of letters, digits, + and # only: there is nothing to escape between the quotes.
    terms = (" | ".join([f"'{word}':*", *(f"'{meant}'" for meant in meanings.get(word, []))]) for word in words)
    return " & ".join(f"({term})" for term in terms)


def _meanings(words: list[str]) -> dict[str, list[str]]:
    """Return which words of public events each of these may have been meant to be."""
    table = SearchWord._meta.db_table
    # ``%`` is an index search by trigrams; how alike is enough is set for each connection (settings.DATABASES).
    like = f"(SELECT %s, word FROM {table} WHERE word %% %s ORDER BY similarity(word, %s) DESC LIMIT {CANDIDATES})"  # noqa: S608
    meant: dict[str, list[tuple[int, str]]] = {}
    with connection.cursor() as cursor:
        sql = " UNION ALL ".join([like] * len(words))
        cursor.execute(sql, [word for word in words for _ in range(3)])
        for word, candidate in cursor.fetchall():
            limit = _tolerance(word)
            letters = distance(word, candidate, limit)
            if 0 < letters <= limit:
                meant.setdefault(word, []).append((letters, candidate))
    return {word: [candidate for _, candidate in _closest(found)] for word, found in meant.items()}


def _closest(found: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    best = sorted(found)[:MEANT]
    # Where one slip explains it, two are not asked for.
    return (pair for pair in best if pair[0] == best[0][0])


def _tolerance(word: str) -> int:
    """Return how many slips a word of this length may have: in a short one, two make another word."""
    return 0 if len(word) < 3 else 1 if len(word) < 7 else 2


__all__ = [
    "by_relevance",
    "document_of",
    "found_by",
    "outdate_documents_of",
    "refresh",
    "refresh_stale",
    "teaching",
]
