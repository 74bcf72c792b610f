"""An event's cover image: set, shared, replaced and removed by those who run the event."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from eventhub_config.shared.images import files
from eventhub_config.shared.images.rendering import work_on
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import SVG, opened, picture, png_bomb, talkative, upload
from events.models import Event
from events.services import cancel_event, delete_draft
from events.services.copying import duplicate_event
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client, a_client_of, an_admin, an_organizer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def organizer() -> CustomUser:
    return an_organizer()


@pytest.fixture
def client(organizer: CustomUser) -> APIClient:
    return a_client_of(organizer)


@pytest.fixture
def event(organizer: CustomUser) -> Event:
    return an_event(organizer=organizer, now=timezone.now())


def address(event: Event) -> str:
    return f"/api/events/{event.pk}/cover_image/"


def send(client: APIClient, event: Event, content: bytes | None = None, if_match: str = "*") -> Any:
    sent = upload(content if content is not None else picture(size=(1200, 600)))
    return client.post(address(event), sent, format="multipart", headers={"If-Match": if_match})


def urls(key: str) -> dict[str, str]:
    return {size: f"http://testserver/media/{key}/{size}.webp" for size in ("small", "medium", "large")}


def findings() -> list[str]:
    return [
        str(finding)
        for check in all_checks()
        if check.name in {"covers", "image_files", "image_use"}
        for finding in check.findings()
    ]


def test_is_answered_with_the_whole_event_and_shown_to_everybody(client: APIClient, event: Event) -> None:
    """EVT-1"""
    assert a_client().get(f"/api/events/{event.pk}/").json()["cover_image"] is None

    answer = send(client, event)

    image = StoredImage.objects.get()
    assert answer.status_code == 200
    assert answer.json() == a_client().get(f"/api/events/{event.pk}/").json()
    assert answer.json()["cover_image"] == urls(image.key)
    assert a_client().get("/api/events/").json()["results"][0]["cover_image"] == urls(image.key)
    assert (image.purpose, image.uploaded_by) == ("cover", event.organizer_id)


def test_is_rendered_in_three_widths(client: APIClient, event: Event) -> None:
    """EVT-1"""
    send(client, event, picture(size=(1800, 900)))
    key = StoredImage.objects.get().key

    work_on(key=key, now=timezone.now())

    assert [opened(files.open_file(key, size).read()).size for size in files.SIZES] == [
        (400, 200),
        (800, 400),
        (1600, 800),
    ]
    assert findings() == []


def test_costs_lists_no_statement(client: APIClient, event: Event) -> None:
    visitor = a_client()
    with CaptureQueriesContext(connection) as without:
        visitor.get("/api/events/")
    send(client, event)

    with CaptureQueriesContext(connection) as with_covers:
        assert visitor.get("/api/events/").json()["results"][0]["cover_image"]

    assert len(with_covers) == len(without)
    assert not any("storedimage" in query["sql"] for query in with_covers)


def test_raises_the_version(client: APIClient, event: Event) -> None:
    assert event.version == 2

    assert send(client, event).json()["version"] == 3
    assert client.delete(address(event)).json()["version"] == 4
    assert client.delete(address(event)).json()["version"] == 4  # nothing changed


def test_shows_in_the_kept_list_at_once(
    client: APIClient, event: Event, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.LIST_CACHE_SECONDS = 60
    assert a_client().get("/api/events/").json()["results"][0]["cover_image"] is None

    with django_capture_on_commit_callbacks(execute=True):
        send(client, event)

    assert a_client().get("/api/events/").json()["results"][0]["cover_image"]


def test_honours_if_match(client: APIClient, event: Event) -> None:
    """API-4"""
    old = client.get(f"/api/events/{event.pk}/")["ETag"]
    assert send(client, event, if_match=old).status_code == 200

    late = send(client, event, picture(colour="red"), if_match=old)
    late_removal = client.delete(address(event), headers={"If-Match": old})

    assert [(it.status_code, it.json()["code"]) for it in (late, late_removal)] == [(412, "version_mismatch")] * 2
    event.refresh_from_db()
    assert event.version == 3
    assert list(StoredImage.objects.filter(discarded_at=None)) == [event.cover]


def test_is_changed_by_those_who_run_the_event_only(event: Event, folder: Path) -> None:
    other = a_client_of(an_organizer())

    for answer in (send(other, event), other.delete(address(event))):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
    assert list(folder.iterdir()) == []

    assert send(a_client_of(an_admin()), event).status_code == 200
    assert StoredImage.objects.get().uploaded_by != event.organizer_id


def test_of_a_strangers_draft_is_not_there() -> None:
    """EVT-6"""
    draft = a_draft(now=timezone.now())
    other = a_client_of(an_organizer())

    hidden = [send(other, draft), other.delete(address(draft))]
    missing = [send(other, Event(pk=10**9)), other.delete(address(Event(pk=10**9)))]

    for one, another in zip(hidden, missing, strict=True):
        assert one.status_code == 404
        assert one.json() | {"request_id": ""} == another.json() | {"request_id": ""}


def test_stays_as_it_is_once_the_event_is_over(client: APIClient, event: Event) -> None:
    send(client, event)
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=timezone.now())

    for answer in (send(client, event, picture(colour="red")), client.delete(address(event))):
        assert (answer.status_code, answer.json()["code"]) == (409, "event_is_over")

    image = StoredImage.objects.get()
    assert (image.discarded_at, Event.objects.get().cover) == (None, image)


@pytest.mark.parametrize(
    ("content", "code"), [(SVG, "image_not_recognised"), (png_bomb(), "image_too_many_pixels"), (b"", "image_missing")]
)
def test_refuses_what_is_no_good_picture_and_keeps_the_one_before(
    client: APIClient, event: Event, content: bytes, code: str
) -> None:
    """RELIABILITY I6"""
    before = send(client, event).json()

    answer = send(client, event, content)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert client.get(f"/api/events/{event.pk}/").json() == before
    assert StoredImage.objects.count() == 1


def test_an_edit_of_the_event_neither_takes_nor_brings_one(client: APIClient, event: Event) -> None:
    read_before = Event.objects.get(pk=event.pk)
    send(client, event)
    key = StoredImage.objects.get().key

    client.patch(
        f"/api/events/{event.pk}/", {"title": "A better title", "cover": None, "cover_id": None, "cover_image": None}
    )
    read_before.title = "Another title"
    read_before.save()

    event.refresh_from_db()
    assert (event.title, event.cover_id) == ("Another title", key)


def test_a_copy_shares_it_until_the_last_of_both_lets_go(client: APIClient, event: Event) -> None:
    """EVT-7"""
    send(client, event)
    shared = StoredImage.objects.get()
    copy = duplicate_event(event_id=event.pk, actor=event.organizer, now=timezone.now())
    assert copy.cover_id == shared.key

    send(client, event, picture(colour="red"))
    shared.refresh_from_db()
    assert shared.discarded_at is None
    assert findings() == []

    client.delete(address(copy))
    shared.refresh_from_db()
    assert shared.discarded_at is not None


def test_goes_with_a_draft_that_is_deleted(folder: Path) -> None:
    draft = a_draft(starts_at=START)
    send(a_client_of(draft.organizer), draft)

    delete_draft(event_id=draft.pk, actor=draft.organizer, now=NOW)

    image = StoredImage.objects.get()
    assert image.discarded_at == NOW
    work_on(key=image.key, now=NOW)
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_says_nothing_of_where_it_was_taken(client: APIClient, event: Event, folder: Path) -> None:
    """RELIABILITY I6"""
    send(client, event, talkative("JPEG", (900, 600)))
    work_on(key=StoredImage.objects.get().key, now=timezone.now())

    stored = [path.read_bytes() for path in folder.rglob("*.webp")]
    assert len(stored) == 4
    assert not [content for content in stored if b"Exif" in content or b"52.52" in content]


def test_covers_that_are_none_are_found(client: APIClient, event: Event) -> None:
    send(client, event)
    StoredImage.objects.update(purpose="avatar", discarded_at=NOW)

    assert [line for line in findings() if line.startswith("covers")] == [
        f"covers: event {event.pk}: has a cover that is an avatar",
        f"covers: event {event.pk}: has a cover that is discarded",
    ]
