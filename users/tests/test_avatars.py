"""One's own avatar over HTTP."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import (
    GIF_AND_SCRIPT,
    SECRET,
    SVG,
    multipart,
    noise,
    picture,
    png_bomb,
    png_of,
    talkative,
    upload,
)
from users.models import CustomUser, UserProfile
from users.tests.factories import a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ADDRESS = "/api/users/me/avatar/"
BOUNDARY = "multipart/form-data; boundary=xyz"
CUT_OFF = multipart(('form-data; name="image"; filename="a.png"', picture()))[:90]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def user() -> CustomUser:
    return a_user()


@pytest.fixture
def client(user: CustomUser) -> APIClient:
    return a_client_of(user)


def send(client: APIClient, content: bytes, **named: str) -> Any:
    return client.post(ADDRESS, upload(content, **named), format="multipart")


def raw(client: APIClient, body: Any, content_type: str = BOUNDARY, **other: Any) -> Any:
    """Send bytes as they are."""
    method, path = other.pop("method", "POST"), other.pop("path", ADDRESS)
    return client.generic(method, path, body, content_type, **other)


def nothing_is_stored(folder: Path) -> bool:
    return not StoredImage.objects.exists() and not [path for path in folder.rglob("*") if path.is_file()]


def urls(key: str, base: str = "http://testserver/media/") -> dict[str, str]:
    return {size: f"{base}{key}/{size}.webp" for size in ("small", "medium", "large")}


# --- Setting and removing ---------------------------------------------------------------------------------------------


def test_is_answered_with_the_whole_account_and_its_addresses(client: APIClient, user: CustomUser) -> None:
    """USR-2"""
    assert client.get("/api/users/me/").json()["profile"]["avatar"] is None

    answer = send(client, picture())

    image = StoredImage.objects.get()
    assert answer.status_code == 200
    assert answer.json() == client.get("/api/users/me/").json()
    assert answer.json()["profile"]["avatar"] == urls(image.key)
    assert (image.purpose, image.uploaded_by, image.width, image.height) == ("avatar", user.pk, 60, 40)
    assert client.get(answer.json()["profile"]["avatar"]["large"]).status_code == 200


def test_shows_on_an_organizers_public_page() -> None:
    """USR-5"""
    organizer = an_organizer()
    UserProfile.objects.filter(user=organizer).update(organization="Brandt Academy", website="https://brandt.example")
    send(a_client_of(organizer), picture())

    page = a_client().get(f"/api/organizers/{organizer.pk}/").json()

    assert page["avatar"] == urls(StoredImage.objects.get().key)
    assert (page["organization"], page["website"]) == ("Brandt Academy", "https://brandt.example")


def test_is_shown_to_administrators_too(client: APIClient, user: CustomUser) -> None:
    send(client, picture())

    body = a_client_of(an_admin()).get(f"/api/users/{user.pk}/").json()

    assert body["profile"]["avatar"] == urls(StoredImage.objects.get().key)


def test_is_replaced_by_the_next_one(client: APIClient) -> None:
    first = send(client, picture()).json()["profile"]["avatar"]

    second = send(client, picture(colour="red")).json()["profile"]["avatar"]

    assert client.get(first["small"]).status_code == 404
    assert client.get(second["small"]).status_code == 200
    assert StoredImage.objects.filter(discarded_at=None).count() == 1


def test_can_be_removed_once_and_again(client: APIClient) -> None:
    before = send(client, picture())

    removed = client.delete(ADDRESS)
    again = client.delete(ADDRESS)

    assert (removed.status_code, removed.json()["profile"]["avatar"]) == (200, None)
    assert removed["ETag"] != before["ETag"]
    assert (again.status_code, again["ETag"]) == (200, removed["ETag"])
    assert StoredImage.objects.get().discarded_at is not None


def test_cannot_be_set_in_any_other_way(client: APIClient, user: CustomUser) -> None:
    send(client, picture())
    key = StoredImage.objects.get().key
    another = StoredImage.objects.create(purpose="avatar", uploaded_by=1, width=1, height=1, created_at=NOW)

    for value in (None, another.key, urls(another.key), ""):
        answer = client.patch("/api/users/me/", {"profile": {"avatar": value, "avatar_id": value, "bio": "Hello"}})

        assert answer.json()["profile"]["avatar"] == urls(key)


def test_an_edit_that_was_read_before_brings_no_old_avatar_back(client: APIClient, user: CustomUser) -> None:
    send(client, picture())
    read_before = UserProfile.objects.get(user=user)
    send(client, picture(colour="red"))

    read_before.bio = "An edit in the admin"
    read_before.save()

    assert UserProfile.objects.get(user=user).avatar == StoredImage.objects.get(discarded_at=None)


def test_raises_the_version_and_honours_if_match(client: APIClient) -> None:
    """API-4"""
    old = client.get("/api/users/me/")["ETag"]
    new = send(client, picture())["ETag"]
    key = StoredImage.objects.get().key

    late = client.post(ADDRESS, upload(picture(colour="red")), format="multipart", headers={"If-Match": old})
    late_removal = client.delete(ADDRESS, headers={"If-Match": old})
    in_time = client.delete(ADDRESS, headers={"If-Match": new})

    assert [(it.status_code, it.json().get("code")) for it in (late, late_removal, in_time)] == [
        (412, "version_mismatch"),
        (412, "version_mismatch"),
        (200, None),
    ]
    assert list(StoredImage.objects.values_list("pk", "discarded_at").filter(discarded_at=None)) == []
    assert StoredImage.objects.filter(pk=key).exists()


def test_addresses_may_stand_for_another_host(client: APIClient, settings: Settings) -> None:
    settings.MEDIA_URL = "https://cdn.example/pictures/"

    avatar = send(client, picture()).json()["profile"]["avatar"]

    assert avatar == urls(StoredImage.objects.get().key, "https://cdn.example/pictures/")


def test_the_limit_counts_by_account(client: APIClient, settings: Settings) -> None:
    settings.IMAGE_UPLOADS_PER_HOUR = 2

    answers = [send(client, content).status_code for content in (SVG, picture(), picture())]
    other = send(a_client_of(a_user()), picture())

    assert answers == [400, 200, 429]
    assert other.status_code == 200


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(png_of(50_000, 50_000), 400, "image_too_many_pixels", id="50,000 x 50,000 claimed"),
        pytest.param(png_bomb(), 400, "image_too_many_pixels", id="50,000 x 50,000 real"),
        pytest.param(SVG, 400, "image_not_recognised", id="svg named png"),
        pytest.param(GIF_AND_SCRIPT, 400, "image_not_recognised", id="gif and script"),
        pytest.param(b"", 400, "image_missing", id="empty"),
        pytest.param(noise("JPEG", (300, 200))[:3000], 400, "image_damaged", id="half a jpeg"),
        pytest.param(noise("PNG", (300, 200))[:3000], 400, "image_damaged", id="half a png"),
        pytest.param(noise("WEBP", (300, 200))[:3000], 400, "image_damaged", id="half a webp"),
    ],
)
def test_what_is_no_good_picture_is_refused_with_a_code_and_nothing_is_stored(
    client: APIClient, user: CustomUser, folder: Path, content: bytes, status: int, code: str
) -> None:
    """RELIABILITY I6"""
    before = client.get("/api/users/me/")["ETag"]

    answer = send(client, content)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("image", code)]
    assert nothing_is_stored(folder)
    assert client.get("/api/users/me/")["ETag"] == before


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd.png",
        "..\\..\\boot.png",
        "/etc/passwd",
        "x" * 300 + ".png",
        "shell.php",
        "photo.svg",
        "CON",
        "名前.png",
        "<script>.png",
        ".",
    ],
)
def test_a_files_name_means_nothing(client: APIClient, folder: Path, name: str) -> None:
    """RELIABILITY I6"""
    body = multipart((f'form-data; name="image"; filename="{name}"', picture()))

    answer = raw(client, body)

    stored = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    if answer.status_code == 200:
        assert stored == {f"images/{StoredImage.objects.get().key}/master.webp"}
    else:  # Django takes a part whose name is nothing but a path for no file
        assert (answer.json()["code"], name) == ("image_missing", ".")
        assert stored == set()


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="image"; filename="a\0b.png"',
        'form-data; name="image"; filename="a\rb.png"',
        "form-data; name=\"image\"; filename*=UTF-8''%00%0d%0a.png",
        "form-data; name=\"image\"; filename*=nonsense''%ff.png",
        'form-data; name="image\0"; filename="a.png"',
        'form-data; name="image"; filename="\udcff.png"'.encode("utf-8", "replace").decode(),
    ],
)
def test_a_name_that_is_none_does_no_harm(client: APIClient, folder: Path, disposition: str) -> None:
    """RELIABILITY I1"""
    answer = raw(client, multipart((disposition, picture())))

    assert answer.status_code in {200, 400}
    assert nothing_is_stored(folder) == (answer.status_code == 400)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="nothing"),
        pytest.param([('form-data; name="image"', b"a text")], id="a text"),
        pytest.param([('form-data; name="file"; filename="a.png"', picture())], id="another field"),
        pytest.param([('form-data; name="image"; filename="a.png"', picture())] * 2, id="two"),
        pytest.param(
            [(f'form-data; name="{name}"; filename="a.png"', picture()) for name in ("image", "other")], id="one more"
        ),
    ],
)
def test_it_takes_exactly_one_file_in_the_right_field(
    client: APIClient, folder: Path, parts: list[tuple[str, bytes]]
) -> None:
    answer = raw(client, multipart(*parts))

    assert (answer.status_code, answer.json()["code"]) == (400, "image_missing")
    assert nothing_is_stored(folder)


def test_a_hundred_files_are_too_many(client: APIClient, folder: Path) -> None:
    part = ('form-data; name="image"; filename="a.png"', b"x")

    answer = raw(client, multipart(*[part] * 101))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert nothing_is_stored(folder)


def test_a_file_may_have_so_many_bytes_and_no_more(client: APIClient, folder: Path, settings: Settings) -> None:
    content = picture()
    settings.IMAGE_MAX_BYTES = len(content)

    over = send(client, content + b"\0")
    assert (over.status_code, over.json()["code"]) == (413, "payload_too_large")
    assert "MiB at most" in over.json()["detail"]
    assert nothing_is_stored(folder)

    assert send(client, content).status_code == 200


class Endless:
    """A body that counts what is read of it."""

    def __init__(self, size: int) -> None:
        self.left, self.largest_read = size, 0

    def read(self, size: int = -1) -> bytes:
        taken = self.left if size < 0 else min(size, self.left)
        self.left -= taken
        self.largest_read = max(self.largest_read, taken)
        return bytes(taken)

    readline = read


@pytest.mark.parametrize(("megabytes", "left"), [(2, 0), (4, 0), (5, 5_000_000), (5000, 5_000_000_000)])
def test_a_body_that_is_too_large_is_dropped_or_not_even_read(
    client: APIClient, folder: Path, settings: Settings, megabytes: int, left: int
) -> None:
    """Dropped where its sender may still be listening; nothing of it is ever kept."""
    settings.IMAGE_MAX_BYTES = 1_000_000
    body = Endless(megabytes * 1_000_000)
    environ: dict[str, Any] = {
        "wsgi.input": body,
        "CONTENT_LENGTH": str(body.left),
        "CONTENT_TYPE": BOUNDARY,
    }

    answer = raw(client, b"", **environ)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert body.left == left
    assert body.largest_read <= 65_536
    assert nothing_is_stored(folder)


def test_a_text_beside_the_file_is_limited_too(client: APIClient, folder: Path, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    parts = [('form-data; name="note"', b"x" * 2000), ('form-data; name="image"; filename="a.png"', picture())]

    answer = raw(client, multipart(*parts))

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert nothing_is_stored(folder)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/json", b'{"image": "data:image/png;base64,"}', 415, "unsupported_media_type"),
        ("image/png", picture(), 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"image=1", 415, "unsupported_media_type"),
        ("multipart/mixed; boundary=xyz", b"--xyz--", 415, "unsupported_media_type"),
        ("multipart/form-data", b"--xyz--", 400, "malformed_body"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--xyz--", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=xyz", b"no parts at all", 400, "image_missing"),
        ("multipart/form-data; boundary=xyz", CUT_OFF, 400, "image_missing"),
    ],
)  # fmt: skip
def test_another_kind_of_body_is_refused(
    client: APIClient, folder: Path, content_type: str, body: bytes, status: int, code: str
) -> None:
    answer = raw(client, body, content_type)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert nothing_is_stored(folder)


def test_json_elsewhere_stays_json(client: APIClient) -> None:
    answer = raw(client, multipart(), method="PATCH", path="/api/users/me/")

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_nobody_uploads_without_signing_in(folder: Path) -> None:
    assert send(a_client(), picture()).status_code == 401
    assert a_client().delete(ADDRESS).status_code == 401
    assert nothing_is_stored(folder)


def test_where_it_was_taken_is_in_no_stored_file(client: APIClient, folder: Path) -> None:
    """RELIABILITY I6"""
    for kind in ("JPEG", "PNG", "WEBP"):
        assert send(client, talkative(kind)).status_code == 200

    stored = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert len(stored) == 3
    for content in stored:
        assert not [word for word in (SECRET.encode(), b"Exif", b"GPS", b"ICC", b"XMP") if word in content]
