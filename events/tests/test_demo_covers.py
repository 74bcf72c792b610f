"""The demo's pictures: there for what is published, the same each time, and quickly made."""

import time
from pathlib import Path

import pytest
from pytest_django import Settings

from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import opened
from events.demo import demo_events, load
from events.demo_covers import COVER_SIZE
from events.demo_events import EVENTS
from events.services import remove_cover
from events.tests.factories import NOW
from users.demo import load as load_users
from users.demo_art import draw

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_published_events_have_covers_and_drafts_have_none() -> None:
    """API-5"""
    load_users(now=NOW)
    load(now=NOW)

    covered = {title: event.cover_id is not None for title, event in demo_events().items()}

    assert covered == {plan.title: plan.published for plan in EVENTS}
    assert set(StoredImage.objects.filter(purpose="cover").values_list("width", "height")) == {COVER_SIZE}


def test_a_cover_that_somebody_removed_stays_away() -> None:
    load_users(now=NOW)
    load(now=NOW)
    event = next(event for event in demo_events().values() if event.cover_id)
    remove_cover(event_id=event.pk, actor=event.organizer, now=NOW)

    load(now=NOW)

    event.refresh_from_db()
    assert event.cover is None


def test_the_same_name_has_the_same_picture() -> None:
    one, again, other = draw("Olga", (80, 45)), draw("Olga", (80, 45)), draw("Oscar", (80, 45))

    assert one == again != other
    assert opened(one).size == (80, 45)


def test_ten_are_drawn_in_less_than_a_second() -> None:
    draw("the first", COVER_SIZE)
    began = time.process_time()

    for number in range(10):
        draw(f"Event {number}", COVER_SIZE)

    assert time.process_time() - began < 1
