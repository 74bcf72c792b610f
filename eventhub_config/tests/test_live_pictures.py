"""Pictures through real processes: a bombardment of the web server, a worker that renders, storage over the network."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from moto.server import ThreadedMotoServer

from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.live import LiveWeb, own_queue, wait_until, web, worker
from eventhub_config.tests.pages import API_GUIDE, DOCS, FIRST_BOOKING, blocks_of, terminal
from eventhub_config.tests.pictures import (
    GIF_AND_SCRIPT,
    SECRET,
    SVG,
    multipart,
    noise,
    opened,
    picture,
    png_bomb,
    png_chunk,
    png_of,
    talkative,
    with_many_scans,
    with_size,
)
from events.tests.factories import an_event
from users.models import CustomUser, UserProfile
from users.tests.factories import a_user, tokens_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

AVATAR = "/api/users/me/avatar/"
MIB = 1_048_576
# What a web process may hold more afterwards, however long it goes on: what the allocator kept of buffers that had the
# size of a file. What one picture takes to be decoded is 400 MiB.
GROWTH_BYTES = 24 * MIB


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.content).get("code", "")) if self.status >= 400 else ""


@dataclass
class Person:
    """Somebody with a token."""

    url: str
    token: str

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        link = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            link.request(method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
            response = link.getresponse()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            link.close()

    def upload(self, content: bytes, path: str = AVATAR, name: str = "picture.png") -> Answer:
        body = multipart((f'form-data; name="image"; filename="{name}"', content))
        return self.ask("POST", path, body, {"Content-Type": "multipart/form-data; boundary=xyz"})


def person(server: LiveWeb, user: CustomUser | None = None) -> Person:
    return Person(server.url, tokens_for(user or a_user()).access)


@pytest.fixture
def environment(process_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Give processes a folder and a queue of their own."""
    return own_queue(process_environment) | {"MEDIA_ROOT": str(tmp_path), "IMAGE_UPLOADS_PER_HOUR": "1000000"}


def findings() -> list[str]:
    names = {"image_use", "avatars", "covers"}  # the files are where this process does not look
    return [str(it) for check in all_checks() if check.name in names for it in check.findings()]


def memory_of(server: LiveWeb) -> list[int]:
    """Return the memory of each web process in bytes, with its share of what they have in common where that is told."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [_memory(pid, int(rss) * 1024) for pid, parent, rss in rows if int(parent) == server.process.pid]


def _memory(pid: str, resident: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    found = re.search(r"^Pss:\s+(\d+) kB", rollup.read_text(), re.MULTILINE) if rollup.exists() else None
    return int(found[1]) * 1024 if found else resident


def bombardment() -> list[tuple[str, str, bytes, set[tuple[int, str]]]]:
    """Return (what it is, file name, content, what may be answered)."""
    refused = {(400, "image_not_recognised")}
    too_many = {(400, "image_too_many_pixels")}
    damaged = {(400, "image_damaged")}
    taken = {(200, "")}
    profile, text = (png_chunk(name, b"x\0\0" + _folded(size)) for name, size in ((b"iCCP", 50 * MIB), (b"zTXt", MIB)))
    largest = noise("JPEG", (5000, 5000), quality=30)
    return [
        ("50,000 x 50,000, real", "bomb.png", png_bomb(), too_many),
        ("50,000 x 50,000, claimed", "bomb.png", png_of(50_000, 50_000), too_many),
        ("65,535 x 65,535 as jpeg", "bomb.jpg", with_size(picture("JPEG"), 65_535, 65_535), too_many),
        ("16,383 x 16,383 as webp", "bomb.webp", with_size(picture("WEBP"), 16_383, 16_383), too_many),
        ("5,000 x 5,000, claimed", "bomb.png", png_of(5000, 5000), damaged),
        ("5,000 x 5,000, real", "large.jpg", largest, taken),
        ("a profile of 50 MB", "p.png", png_of(9, 9, profile, data=_folded(18)), damaged),
        ("texts of 30 MB", "t.png", png_of(9, 9, *[text] * 30, data=_folded(18)), taken),
        ("2,000 scans", "scans.jpg", with_many_scans(2000), damaged),
        ("svg named png", "picture.png", SVG, refused),
        ("gif and script", "picture.gif", GIF_AND_SCRIPT, refused),
        ("jpeg and page", "picture.jpg", picture("JPEG", comment=b"<script>") + b"<script>alert(1)</script>", taken),
        ("a path as name", "../../../../../tmp/evil.png", picture(), taken),
        ("300 characters as name", "x" * 300, picture(), taken),
        ("nul in the name", "a\0b.png", picture(), taken),
        ("gps", "photo.jpg", talkative("JPEG", (640, 480)), taken),
        ("half a jpeg", "half.jpg", noise("JPEG", (600, 400))[:9000], damaged),
        ("nothing", "empty.png", b"", {(400, "image_missing")}),
        ("a byte too many", "huge.png", picture() + bytes(5 * MIB), {(413, "payload_too_large")}),
    ]  # fmt: skip


def _folded(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def test_a_bombardment_is_refused_or_harmless_and_leaves_memory_flat(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RELIABILITY I6: no 5xx, nothing in the folder but clean pictures, and web processes no larger than before."""
    rounds, senders = int(os.environ.get("EVENTHUB_BOMBARDMENT_ROUNDS", "3")), 3
    shots = bombardment()
    wrong: list[str] = []

    def fire(sender: Person) -> None:
        for name, file_name, content, expected in shots:
            answer = sender.upload(content, name=file_name)
            if (answer.status, answer.code) not in expected:
                wrong.append(f"{name}: {answer.status} {answer.code}")

    def fire_all(people: list[Person]) -> None:
        threads = [threading.Thread(target=fire, args=[sender]) for sender in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    began = time.monotonic()
    with web(environment) as server:
        people = [person(server) for _ in range(senders)]
        for each in people:  # what is loaded at first use is loaded
            assert each.upload(picture()).status == 200
        memory = [memory_of(server)]
        for _ in range(rounds):
            fire_all(people)
            memory.append(memory_of(server))
        said = server.output()

    seconds = time.monotonic() - began
    with capsys.disabled():
        figures = "; ".join(" and ".join(f"{size / MIB:.1f}" for size in sorted(sizes)) for sizes in memory)
        uploads = rounds * senders * len(shots)
        print(  # noqa: T201  (the figures are what this test is for)
            f"\n{uploads} uploads in {seconds:.0f} s; MiB of the web processes before, and after each round: {figures}"
        )
    assert wrong == []
    assert "Traceback" not in said
    assert max(max(sizes) for sizes in memory) - min(memory[0]) < GROWTH_BYTES
    stored = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {str(path) for path in stored} == {
        f"images/{key}/master.webp" for key in StoredImage.objects.values_list("pk", flat=True)
    }
    for content in stored.values():
        assert not [word for word in (b"script", b"Exif", b"GPS", SECRET.encode()) if word in content]
    assert StoredImage.objects.filter(discarded_at=None).count() == senders
    assert findings() == []


@pytest.mark.parametrize("megabytes", [6, 19, 200])
def test_a_body_that_is_too_large_is_told_so_and_never_held(environment: dict[str, str], megabytes: int) -> None:
    """Far beyond the limit the answer comes early, and who goes on sending finds the connection closed instead."""
    with web(environment, workers=1) as server:
        sender = person(server)
        assert sender.upload(picture()).status == 200
        (before,) = memory_of(server)

        try:
            answer = sender.upload(bytes(megabytes * MIB))
        except (ConnectionResetError, BrokenPipeError):
            assert megabytes == 200
        else:
            assert (answer.status, answer.code) == (413, "payload_too_large")

        (after,) = memory_of(server)
        assert after - before < 2 * MIB
        assert sender.upload(picture()).status == 200


def test_a_worker_makes_the_sizes_and_removes_what_is_discarded(environment: dict[str, str], tmp_path: Path) -> None:
    """USR-2, EVT-1: with nobody at work the picture itself is shown; the sweep catches up."""
    organizer = a_user(user_type=CustomUser.UserType.ORGANIZER)
    event = an_event(organizer=organizer, now=timezone.now())
    with web(environment) as server:
        sender = person(server, organizer)
        avatar = json.loads(sender.upload(noise("JPEG", (900, 600))).content)["profile"]["avatar"]
        cover = json.loads(sender.upload(noise("PNG", (1700, 850)), f"/api/events/{event.pk}/cover_image/").content)[
            "cover_image"
        ]
        paths = [urlsplit(address).path for address in (*avatar.values(), *cover.values())]

        early = [sender.ask("GET", path) for path in paths]
        assert {(it.status, it.headers["cache-control"]) for it in early} == {(200, "no-cache")}

        with worker(environment):
            wait_until(lambda: StoredImage.objects.filter(rendered_at=None).count() == 0)
            late = [sender.ask("GET", path) for path in paths]
            assert [opened(it.content).size for it in late] == [
                (64, 64), (192, 192), (512, 512), (400, 200), (800, 400), (1600, 800)
            ]  # fmt: skip
            assert {it.headers["cache-control"] for it in late} == {"public, max-age=31536000, immutable"}

            assert sender.ask("DELETE", AVATAR).status == 200
            assert sender.ask("GET", paths[0]).status == 404
            wait_until(lambda: StoredImage.objects.count() == 1)

    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4


def test_of_two_uploads_at_once_one_is_used_and_the_other_discarded(environment: dict[str, str]) -> None:
    user = a_user()
    with web(environment, workers=4) as server:
        sender = person(server, user)
        for _ in range(5):
            start = threading.Barrier(2)
            statuses: list[int] = []

            def send(content: bytes, start: Any = start, statuses: Any = statuses) -> None:
                start.wait()
                statuses.append(sender.upload(content).status)

            threads = [threading.Thread(target=send, args=[picture(colour=colour)]) for colour in ("red", "blue")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert statuses == [200, 200]
            assert list(StoredImage.objects.filter(discarded_at=None)) == [UserProfile.objects.get(user=user).avatar]

    assert StoredImage.objects.count() == 10
    assert findings() == []


def test_an_upload_whose_process_is_killed_leaves_nothing_that_is_not_found(environment: dict[str, str]) -> None:
    """Killed at any moment: the person's avatar is the old one or the new one, and whole."""
    user = a_user()
    large = noise("JPEG", (3000, 3000), quality=30)
    for delay in (0.1, 0.25, 0.5):
        with web(environment, workers=1) as server:
            sender = person(server, user)
            thread = threading.Thread(target=_upload_into_the_void, args=[sender, large])
            thread.start()
            time.sleep(delay)  # not to wait for anything: the moment of dying is what varies
            server.kill()
            thread.join()

        for image in StoredImage.objects.filter(discarded_at=None):
            folder = Path(environment["MEDIA_ROOT"]) / "images" / image.key
            in_use = UserProfile.objects.filter(avatar=image).exists()
            assert not in_use or opened((folder / "master.webp").read_bytes()).size == (2000, 2000)
        known = set(StoredImage.objects.values_list("pk", flat=True))
        assert {path.name for path in Path(environment["MEDIA_ROOT"]).glob("images/*")} <= known


def _upload_into_the_void(sender: Person, content: bytes) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        sender.upload(content)


# --- In a bucket ------------------------------------------------------------------------------------------------------


@dataclass
class Service:
    """An S3-compatible service on this machine."""

    url: str
    client: Any

    def keys(self) -> set[str]:
        return {entry["Key"] for entry in self.client.list_objects_v2(Bucket="pictures").get("Contents", [])}


@pytest.fixture
def service() -> Iterator[Service]:
    import boto3

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address, port = server.get_host_and_port()
        url = f"http://{address}:{port}"
        keys = {"aws_access_key_id": "name", "aws_secret_access_key": "secret"}
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="pictures")
        yield Service(url, client)
    finally:
        server.stop()


def in_bucket(environment: dict[str, str], url: str) -> dict[str, str]:
    return environment | {
        "MEDIA_STORAGE": "s3",
        "S3_BUCKET": "pictures",
        "S3_ENDPOINT_URL": url,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": "name",
        "S3_SECRET_KEY": "secret",
        "S3_TIMEOUT_SECONDS": "1",
    }


def test_a_bucket_does_all_that_a_folder_does(environment: dict[str, str], service: Service, tmp_path: Path) -> None:
    """USR-2"""
    environment = in_bucket(environment, service.url)
    with web(environment) as server, worker(environment):
        sender = person(server)
        answer = sender.upload(picture("JPEG", (600, 400)))
        avatar = json.loads(answer.content)["profile"]["avatar"]
        key = StoredImage.objects.get().key
        wait_until(lambda: StoredImage.objects.exclude(rendered_at=None).exists())

        assert service.keys() == {f"images/{key}/{size}.webp" for size in ("master", "small", "medium", "large")}
        shown = sender.ask("GET", urlsplit(avatar["medium"]).path)
        assert (shown.status, shown.headers["content-type"]) == (200, "image/webp")
        assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert opened(shown.content).size == (192, 192)
        head = sender.ask("HEAD", urlsplit(avatar["medium"]).path)
        assert (head.status, head.headers["content-length"]) == (200, str(len(shown.content)))

        assert sender.ask("DELETE", AVATAR).status == 200
        assert sender.ask("GET", urlsplit(avatar["medium"]).path).status == 404
        wait_until(lambda: not service.keys())
        assert not StoredImage.objects.exists()

    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_away_is_told_in_time_and_found_again(environment: dict[str, str], service: Service) -> None:
    """RELIABILITY A: bounded patience, no 5xx but 503, and what is owed is done afterwards."""
    with web(in_bucket(environment, service.url)) as server:
        avatar = json.loads(person(server).upload(picture()).content)["profile"]["avatar"]
    nowhere = "http://127.0.0.1:9"
    with web(in_bucket(environment, nowhere)) as server:
        sender = person(server)
        began = time.monotonic()
        refused = sender.upload(picture())
        unseen = sender.ask("GET", urlsplit(avatar["small"]).path)
        seconds = time.monotonic() - began

        assert [(it.status, it.code, "retry-after" in it.headers) for it in (refused, unseen)] == [
            (503, "storage_unavailable", True)
        ] * 2
        assert seconds < 10
        assert "Traceback" in server.output()  # told to those who run it, once for each

    discarded = StoredImage.objects.exclude(discarded_at=None)
    assert discarded.count() == 1  # what could not be stored
    with worker(in_bucket(environment, service.url)) as working:
        subprocess.run(
            ["python", "manage.py", "run_job", "sweep_images"],
            env=in_bucket(environment, service.url) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            cwd=DOCS.parent,
            check=True,
        )
        wait_until(lambda: not discarded.exists())
        assert working.process.poll() is None
    assert len(service.keys()) == 4


# --- The guide --------------------------------------------------------------------------------------------------------


def test_the_guides_example_is_true(environment: dict[str, str], tmp_path: Path) -> None:
    """Its commands go on from ``docs/first-booking.md``, with its accounts and its event."""
    tmp_path.joinpath("portrait.jpg").write_bytes(picture("JPEG"))
    tmp_path.joinpath("hall.png").write_bytes(picture("PNG"))
    tmp_path.joinpath("drawing.svg").write_bytes(SVG)

    with (
        web(environment | {"MEDIA_ROOT": str(tmp_path / "media")}) as server,
        terminal(server.url, tmp_path) as shell,
    ):
        for block in blocks_of(FIRST_BOOKING)[:4]:
            shell.paste(block.commands)
        for block in blocks_of(API_GUIDE, "Pictures"):
            shell.follow(block)
