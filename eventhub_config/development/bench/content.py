"""What both sides are loaded with: the same words, the same numbers, in plain values that go through JSON."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

LISTED_EVENTS = 1000
BUYERS = 3000
UNLIMITED = 1_000_000  # a finite capacity, so that it is compared
FEW_SEATS = 200
AT_THE_DOOR = 3000  # tickets of an event that are scanned

_WORDS = (
    "async booking cache class cloud code community data database deploy design event evening guide hands-on index"
    " kernel language learn load map meet message model network open page people pipeline plan practice python queue"
    " query room scale seat service share speaker story stream table task test ticket type venue web work workshop"
)
_CATEGORIES = ("workshop", "webinar", "conference", "master_class", "meetup", "training")
_CITIES = (("Berlin", "DE", "Europe/Berlin"), ("Lisbon", "PT", "Europe/Lisbon"), ("Osaka", "JP", "Asia/Tokyo"))


def content(*, hot: int, scarce: int, doors: int) -> dict[str, Any]:
    """Return the names of buyers and the values of events: listed, hot, with few seats, and with people at the door."""
    chance = random.Random(20270301)  # noqa: S311 - the same words every time
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    return {
        "buyers": [f"buyer{number}" for number in range(BUYERS)],
        "listed": [_event(chance, start + timedelta(hours=number)) for number in range(LISTED_EVENTS)],
        "hot": [_hot_event(chance, start, UNLIMITED) for _ in range(hot)],
        "scarce": [_hot_event(chance, start, FEW_SEATS) for _ in range(scarce)],
        "doors": [_hot_event(chance, start, UNLIMITED) for _ in range(doors)],
        "at_the_door": AT_THE_DOOR,
    }


def _event(chance: random.Random, starts_at: datetime) -> dict[str, Any]:
    city, country, zone = chance.choice(_CITIES)
    prices = [chance.choice(("0", "15.00", "49.00"))]
    if chance.random() < 0.25:
        prices.append("99.00")
    return {
        "values": {
            "title": _text(chance, 5),
            "summary": _text(chance, 15),
            "description": _text(chance, 90),
            "category": chance.choice(_CATEGORIES),
            "venue_name": _text(chance, 2),
            "address": f"{_text(chance, 1)} {chance.randrange(1, 99)}",
            "city": city,
            "country": country,
            "latitude": f"{chance.uniform(-60, 60):.6f}",
            "longitude": f"{chance.uniform(-170, 170):.6f}",
            "timezone": zone,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=3)).isoformat(),
            "capacity": chance.choice((None, 20, 200, 2000)),
            "tax_rate": "19.00",
            "skills": [_text(chance, 1) for _ in range(3)],
            "hours": "3.00",
        },
        "ticket_types": [{"name": f"Type {number}", "price": price} for number, price in enumerate(prices)],
    }


def _hot_event(chance: random.Random, starts_at: datetime, capacity: int) -> dict[str, Any]:
    event = _event(chance, starts_at + timedelta(days=400))  # at the end of the list, so that its page stays as it is
    event["values"]["capacity"] = capacity
    event["ticket_types"] = [{"name": "Standard", "price": "0"}]
    return event


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS.split(), k=words)).capitalize()
