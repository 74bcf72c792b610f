"""``/media/``: renditions for everybody, whole and harmless, and nothing else."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from pytest_django import Settings

from eventhub_config.shared.errors import page_not_found
from eventhub_config.shared.images import files
from eventhub_config.shared.images.rendering import work_on
from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import opened, picture
from users.models import UserProfile
from users.services import remove_avatar, set_avatar
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def an_avatar(*, rendered: bool = True) -> StoredImage:
    user = a_user()
    set_avatar(user_id=user.pk, content=picture(size=(600, 400)), actor=user, now=NOW)
    image = UserProfile.objects.select_related("avatar").get(user=user).avatar
    assert image is not None
    if rendered:
        work_on(key=image.key, now=NOW)
    return image


def address(image: StoredImage, size: str = "medium") -> str:
    return f"/media/{image.key}/{size}.webp"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(("size", "side"), [("small", 64), ("medium", 192), ("large", 400)])
def test_gives_a_rendition_to_be_kept_for_good(client: Client, size: str, side: int) -> None:
    """USR-2"""
    image = an_avatar()

    answer = client.get(address(image, size))

    content = body(answer)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/webp", FOREVER)
    assert opened(content).size == (side, side)
    assert int(answer["Content-Length"]) == len(content)


def test_gives_the_picture_itself_until_the_worker_has_been_there(client: Client) -> None:
    """The addresses in an answer are right from the first moment, and with no worker at all."""
    image = an_avatar(rendered=False)

    early = client.get(address(image))
    work_on(key=image.key, now=NOW)
    later = client.get(address(image), headers={"If-None-Match": early["ETag"]})

    assert (early.status_code, early["Cache-Control"], opened(body(early)).size) == (200, "no-cache", (600, 400))
    assert (later.status_code, later["Cache-Control"], opened(body(later)).size) == (200, FOREVER, (192, 192))


def test_is_harmless_to_whoever_opens_it_and_open_to_whoever_shows_it(client: Client) -> None:
    answer = client.get(address(an_avatar()), headers={"Origin": "https://anywhere.example"})

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_spares_what_is_known(client: Client, known: str) -> None:
    image = an_avatar()
    tag = client.get(address(image))["ETag"]

    answer = client.get(address(image), headers={"If-None-Match": known.format(tag=tag)})

    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer["ETag"], answer["Cache-Control"]) == (tag, FOREVER)


def test_gives_another_size_to_those_who_know_one(client: Client) -> None:
    image = an_avatar()
    tag = client.get(address(image, "small"))["ETag"]

    assert client.get(address(image, "large"), headers={"If-None-Match": tag}).status_code == 200


def test_says_how_long_it_would_be(client: Client) -> None:
    image = an_avatar()

    answer = client.head(address(image))

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer["Content-Length"]) == len(body(client.get(address(image))))


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_takes_nothing(method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(address(an_avatar()))

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/media/",
        "/media/{key}",
        "/media/{key}/",
        "/media/{key}/master.webp",
        "/media/{key}/small.png",
        "/media/{key}/small.webp/",
        "/media/{key}/small.webp%0a",
        "/media/{key}/small.webp%00",
        "/media/{key}/./small.webp",
        "/media//{key}/small.webp",
        "/media/images/{key}/small.webp",
        "/media/{lower}/small.webp",
        "/media/{key}0/small.webp",
        "/media/0000000000000000000000000O/small.webp",
        "/media/00000000000000000000000000/small.webp",
        "/media/../eventhub_config/settings.py",
        "/media/..%2f..%2f..%2fetc%2fpasswd",
        "/media/%2e%2e/%2e%2e/etc/passwd",
        "/media/....................../small.webp",
        "/media//etc/passwd",
        "/media/{key}/..%2f..%2fsecret.webp",
    ],
)
def test_knows_no_other_paths(client: Client, folder: Path, path: str) -> None:
    """RELIABILITY I6"""
    image = an_avatar()
    folder.joinpath("secret.webp").write_bytes(b"a secret")

    answer = client.get(path.format(key=image.key, lower=image.key.lower()))

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert b"a secret" not in answer.content


def test_answers_for_a_discarded_picture_as_for_none(client: Client) -> None:
    image = an_avatar()
    user = UserProfile.objects.get(avatar=image).user
    remove_avatar(user_id=user.pk, actor=user, now=NOW)

    gone = client.get(address(image))
    none = client.get("/media/00000000000000000000000000/small.webp")

    assert gone.status_code == none.status_code == 404
    assert gone["Cache-Control"] == none["Cache-Control"] == "no-store"
    assert gone.json() | {"request_id": ""} == none.json() | {"request_id": ""}


def test_answers_for_a_lost_file_as_for_none(client: Client, folder: Path) -> None:
    image = an_avatar()
    folder.joinpath("images", image.key, "small.webp").unlink()

    assert client.get(address(image, "small")).status_code == 404


def test_says_when_the_storage_or_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    image = an_avatar()

    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "open", away)
        storage = client.get(address(image))
    with monkeypatch.context() as patch:
        patch.setattr(StoredImage.objects, "filter", away)
        database = client.get(address(image))

    assert [(it.status_code, it.json()["code"], it["Retry-After"]) for it in (storage, database)] == [
        (503, "storage_unavailable", "5"),
        (503, "database_unavailable", "2"),
    ]


class ClosesInTheMiddle(BaseHTTPRequestHandler):
    """A service that tells of an object and hangs up when it is fetched."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()

    def do_GET(self) -> None:
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def test_says_so_too_when_the_storage_goes_away_between_question_and_answer(client: Client, settings: Settings) -> None:
    image = an_avatar()
    with HTTPServer(("127.0.0.1", 0), ClosesInTheMiddle) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        options = {
            "bucket_name": "pictures",
            "endpoint_url": f"http://127.0.0.1:{service.server_port}",
            "region_name": "us-east-1",
            "access_key": "name",
            "secret_key": "secret",
            "timeout_seconds": 1,
        }
        bucket = {"BACKEND": "eventhub_config.shared.images.bucket.MediaBucket", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"default": bucket}

        answer = client.get(address(image))
        service.shutdown()

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "storage_unavailable", "5")
    assert answer["Cache-Control"] == "no-store"


def test_asks_the_database_once(client: Client, django_assert_num_queries: Any) -> None:
    image = an_avatar()

    with django_assert_num_queries(1) as asked:
        client.get(address(image))

    assert isinstance(asked, CaptureQueriesContext)
    assert "shared_storedimage" in asked[0]["sql"]


def test_is_served_by_us_with_debug_off_and_on(client: Client, settings: Settings) -> None:
    image = an_avatar()
    for debug in (False, True):
        settings.DEBUG = debug

        assert client.get(address(image)).status_code == 200
        assert resolve("/media/").func.__name__ == page_not_found.__name__


def test_closes_what_it_opened(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    image = an_avatar()
    files_opened = []
    open_file = files.open_file

    def watched(key: str, size: str) -> Any:
        files_opened.append(open_file(key, size))
        return files_opened[-1]

    monkeypatch.setattr(files, "open_file", watched)
    answer = client.get(address(image))
    body(answer)
    client.head(address(image))

    assert [file.closed for file in files_opened] == [True, True]
