"""The names that events have in addresses: one for each title an event had, and each of them for good.

A slug belongs to the event that first had it, by the primary key of ``EventSlug``. See docs/decisions/slugs.md.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator

from django.db import connection
from django.utils.text import slugify

from eventhub_config.shared.references import ALPHABET
from events.models import Event, EventSlug

BASE_LENGTH = 100
TAIL_LENGTH = 6
UNREADABLE = "event"  # for titles in scripts that are not transliterated

# Source: the passport rules of Russia and Ukraine (ICAO Doc 9303), Serbian Gaj, ISO 843 for Greek; and letters of
# Latin scripts that Unicode does not take apart.
_LETTERS = """
    а:a б:b в:v г:g ґ:g д:d ђ:dj ѓ:gj е:e ё:yo є:ye ж:zh з:z ѕ:dz и:i і:i ї:yi й:y ј:j к:k ќ:kj л:l љ:lj м:m н:n њ:nj
    о:o п:p р:r с:s т:t ћ:c у:u ў:u ф:f х:kh ц:ts ч:ch џ:dz ш:sh щ:shch ъ: ы:y ь: э:e ю:yu я:ya
    α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch ψ:ps ω:o
    æ:ae ð:d đ:d ħ:h ı:i ł:l ŋ:ng ø:o œ:oe þ:th
"""  # noqa: RUF001 (Cyrillic and Greek are meant)
_TABLE = str.maketrans(dict(pair.split(":") for pair in _LETTERS.split()))
# All but letters, digits, their accents, and apostrophes: "don't" is one word.
_BETWEEN_WORDS = re.compile(r"(?:[^\w\u0300-\u036f'\u2019]|_)+")
_CLAIM = f"INSERT INTO {EventSlug._meta.db_table} (slug, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"  # noqa: S608


def slug_base(title: str) -> str:
    """Return what a title looks like in an address; empty if nothing of it can be read in Latin letters."""
    lower = unicodedata.normalize("NFKC", title).casefold()
    # Twice: letters with a sound of their own first (й), then what is left under its accents (ά).
    plain = unicodedata.normalize("NFKD", _BETWEEN_WORDS.sub(" ", lower).translate(_TABLE)).translate(_TABLE)
    return slugify(plain)[:BASE_LENGTH].strip("-")


def insert_with_slug(event: Event) -> None:
    """Insert a draft under a slug that nobody ever had."""
    event.slug = f"-{_tail()}{_tail()}"  # such as nobody can claim: a slug does not begin with a hyphen
    event.save(force_insert=True)
    _claim(event, slug_base(event.title))
    Event.objects.filter(pk=event.pk).update(slug=event.slug)


def claim_plain(event: Event) -> None:
    """Give an event that becomes public the plain slug of its title, if that is free. The caller saves it."""
    base = slug_base(event.title)
    if base and event.slug != base and _claimed(event, base):
        event.slug = base


def follow_title(event: Event, *, before: str) -> None:
    """Give a renamed event the slug of its title. The caller holds the event's lock, and saves it.

    The slugs it had go on leading to it. Its first title again gives it its first slug again.
    """
    base = slug_base(event.title)
    if base == slug_base(before):
        return
    own = EventSlug.objects.filter(event=event, slug__startswith=base or UNREADABLE).order_by("slug")
    for slug in own.values_list("slug", flat=True):
        if _is_of(slug, base):
            event.slug = slug
            return
    _claim(event, base)


def _claim(event: Event, base: str) -> None:
    """Take the first free slug of this base for an event: somebody who claims the same waits for our commit."""
    for slug in _candidates(base, plain=event.published_at is not None):
        if _claimed(event, slug):
            event.slug = slug
            return


def _claimed(event: Event, slug: str) -> bool:
    """Take a slug if it is free, or is this event's already; return whether it is the event's now."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [slug, event.pk])
        return cursor.rowcount == 1 or EventSlug.objects.filter(slug=slug, event=event).exists()


def _candidates(base: str, *, plain: bool) -> Iterator[str]:
    # Not for drafts: that a plain slug is taken would tell strangers what somebody's hidden draft is called.
    if base and plain:
        yield base
    while True:
        yield f"{base or UNREADABLE}-{_tail()}"


def _is_of(slug: str, base: str) -> bool:
    """Return whether this is what ``_claim`` makes of a base."""
    tailed = re.fullmatch(rf"{re.escape(base or UNREADABLE)}-[0-9a-z]{{{TAIL_LENGTH}}}", slug)
    return bool(tailed or (base and slug == base))


def _tail() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(TAIL_LENGTH)).lower()
