"""Pictures in the admin: covers sent and removed on the event's page, avatars seen and removed, work tried again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.admin_pages import browser, errors_on, form_on, messages_of
from eventhub_config.tests.pictures import SVG, picture
from events.models import Event
from events.services import cancel_event
from events.tests.factories import a_draft, an_event
from users.models import CustomUser, UserProfile
from users.services import set_avatar
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

NO_ROWS = {"-TOTAL_FORMS": 0, "-INITIAL_FORMS": 0}


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def event() -> Event:
    return a_draft(organizer=an_organizer(), now=timezone.now())


def page_of(event: Event) -> str:
    return f"/admin/events/event/{event.pk}/change/"


def submit(client: Client, event: Event, **typed: Any) -> Any:
    """Send an event's page as a browser does, with some fields typed in."""
    return client.post(page_of(event), form_on(client.get(page_of(event)), "event_form") | typed)


def a_file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("../hall.png", content, "image/png")


def cover_of(event: Event) -> StoredImage | None:
    return Event.objects.select_related("cover").get(pk=event.pk).cover


def test_an_organizer_sends_a_cover_on_the_events_page(event: Event) -> None:
    """EVT-1, ADM-3"""
    client = browser(event.organizer)

    answer = submit(client, event, image=a_file(picture()))

    assert answer.status_code == 302, errors_on(answer)
    cover = cover_of(event)
    assert cover is not None
    assert (cover.purpose, cover.uploaded_by) == ("cover", event.organizer_id)
    assert f"/media/{cover.key}/small.webp" in client.get(page_of(event)).content.decode()
    assert Event.objects.get().version == event.version + 1


def test_a_cover_is_replaced_and_removed_there_too(event: Event) -> None:
    client = browser(event.organizer)
    submit(client, event, image=a_file(picture()))
    first = cover_of(event)

    submit(client, event, image=a_file(picture(colour="red")), title="With another title")
    second = cover_of(event)
    submit(client, event, remove_image="on")

    assert first != second
    assert cover_of(event) is None
    assert Event.objects.get().title == "With another title"
    assert StoredImage.objects.filter(discarded_at=None).count() == 0


def test_a_page_without_a_new_picture_leaves_the_old_one(event: Event) -> None:
    client = browser(event.organizer)
    submit(client, event, image=a_file(picture()))
    cover = cover_of(event)

    submit(client, event, title="Another title")

    assert cover_of(event) == cover is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SVG, "Send a JPEG, PNG or WebP picture. What counts is what is in the file, not its name."),
        (picture()[:-30], "The picture is damaged: it cannot be read to its end."),
        (b"", "The file is empty."),
    ],
)
def test_a_picture_is_refused_in_plain_words_and_nothing_else_is_saved(
    event: Event, content: bytes, words: str
) -> None:
    """ADM-3"""
    answer = submit(browser(event.organizer), event, image=a_file(content), title="Not saved")

    assert words in errors_on(answer)["image"]
    assert Event.objects.get().title == event.title
    assert not StoredImage.objects.exists()


@pytest.mark.parametrize("times", [1.1, 3.9])
def test_a_file_that_is_too_large_is_refused_in_plain_words(event: Event, settings: Settings, times: float) -> None:
    settings.IMAGE_MAX_BYTES = 1_048_576

    answer = submit(browser(event.organizer), event, image=a_file(bytes(int(1_048_576 * times))))

    assert errors_on(answer)["image"] == ["Send a picture of 1 MiB at most."]


def test_a_file_that_is_far_too_large_is_not_read(event: Event, settings: Settings) -> None:
    settings.IMAGE_MAX_BYTES = 100_000

    answer = submit(browser(event.organizer), event, image=a_file(bytes(500_000)))

    assert answer.status_code == 413


def test_so_many_pictures_and_no_more(event: Event, settings: Settings) -> None:
    settings.IMAGE_UPLOADS_PER_HOUR = 1
    client = browser(event.organizer)
    submit(client, event, image=a_file(picture()))

    answer = submit(client, event, image=a_file(picture()))

    assert errors_on(answer)["image"] == ["You have sent too many pictures. Try again in an hour."]
    assert StoredImage.objects.count() == 1


def test_a_picture_beside_a_value_that_is_refused_is_not_kept(event: Event) -> None:
    client = browser(event.organizer)

    answer = submit(client, event, image=a_file(picture()), capacity="-1")

    assert "capacity" in errors_on(answer)
    assert cover_of(event) is None
    assert not StoredImage.objects.filter(discarded_at=None).exists()


def test_a_picture_on_a_page_that_is_out_of_date_is_not_kept(event: Event) -> None:
    client = browser(event.organizer)
    form = form_on(client.get(page_of(event)), "event_form")
    submit(client, event, title="Meanwhile")

    answer = client.post(page_of(event), form | {"image": a_file(picture())})

    assert answer.status_code == 200
    assert cover_of(event) is None
    assert not StoredImage.objects.filter(discarded_at=None).exists()


def test_nobody_sends_one_to_somebody_elses_event(event: Event, folder: Path) -> None:
    """ADM-2"""
    form = form_on(browser(event.organizer).get(page_of(event)), "event_form")

    answer = browser(an_organizer()).post(page_of(event), form | {"image": a_file(picture())})

    assert answer.status_code == 302  # as for an event that does not exist
    assert not StoredImage.objects.exists()
    assert list(folder.iterdir()) == []


def test_the_page_of_an_event_that_is_over_only_shows_it() -> None:
    event = an_event(now=timezone.now())
    client = browser(event.organizer)
    submit(client, event, image=a_file(picture()))
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=timezone.now())

    page = client.get(page_of(event)).content.decode()

    cover = cover_of(event)
    assert cover is not None
    assert f"/media/{cover.key}/small.webp" in page
    assert 'name="image"' not in page
    assert client.post(page_of(event), {"image": a_file(picture())}).status_code == 403


def test_the_page_for_a_new_event_asks_for_no_picture() -> None:
    assert 'name="image"' not in browser(an_organizer()).get("/admin/events/event/add/").content.decode()


def test_administrators_see_and_remove_avatars() -> None:
    """ADM-1"""
    user, other = a_user(), a_user()
    for person in (user, other):
        set_avatar(user_id=person.pk, content=picture(), actor=person, now=timezone.now())
    client = browser(an_admin())
    avatar = UserProfile.objects.get(user=user).avatar_id
    assert f"/media/{avatar}/small.webp" in client.get(f"/admin/users/customuser/{user.pk}/change/").content.decode()

    client.post("/admin/users/customuser/", {"action": "remove_avatars", "_selected_action": [user.pk]})

    assert UserProfile.objects.get(user=user).avatar is None
    assert UserProfile.objects.get(user=other).avatar is not None


def test_an_administrator_has_work_tried_again_that_was_given_up() -> None:
    """ADM-1"""
    now = timezone.now()
    parked = StoredImage.objects.create(
        key="PARKED", purpose="cover", uploaded_by=1, width=1, height=1, created_at=now,
        attempts=16, next_attempt_at=now - timedelta(hours=1), parked_at=now, last_error="away",
    )  # fmt: skip
    fine = StoredImage.objects.create(key="FINE", purpose="cover", uploaded_by=1, width=1, height=1, created_at=now)
    client = browser(an_admin())
    chosen = {"action": "retry_selected", "_selected_action": [parked.pk, fine.pk]}

    answer = client.post("/admin/shared/storedimage/", chosen)

    assert messages_of(answer) == [
        "FINE: cover, 1 x 1: The work on this picture was not given up.",
        "1 picture to be worked on again.",
    ]
    parked.refresh_from_db()
    assert (parked.attempts, parked.parked_at, parked.last_error) == (0, None, "")


@pytest.mark.parametrize("key", ["a\0b", "a\nb"])
def test_a_key_that_is_none_is_no_error(key: str) -> None:
    """RELIABILITY I1"""
    answer = browser(an_admin()).post(
        "/admin/shared/storedimage/", {"action": "retry_selected", "_selected_action": [key]}
    )

    assert messages_of(answer) == ["Choose rows of this list."]


@pytest.mark.parametrize(("state", "keys"), [("parked", ["A"]), ("owed", ["B"]), ("discarded", ["C"])])
def test_pictures_are_found_by_their_state(state: str, keys: list[str]) -> None:
    now = timezone.now()
    for key, fields in {
        "A": {"parked_at": now, "next_attempt_at": now},
        "B": {"next_attempt_at": now},
        "C": {"discarded_at": now},
    }.items():
        StoredImage.objects.create(key=key, purpose="cover", uploaded_by=1, width=1, height=1, created_at=now, **fields)

    answer = browser(an_admin()).get(f"/admin/shared/storedimage/?state={state}")

    assert [image.pk for image in answer.context["cl"].queryset] == keys


@pytest.mark.parametrize("make", [a_user, an_organizer])
def test_the_list_of_pictures_is_for_administrators(make: Any) -> None:
    person: CustomUser = make()

    assert browser(person).get("/admin/shared/storedimage/").status_code in {302, 403}
