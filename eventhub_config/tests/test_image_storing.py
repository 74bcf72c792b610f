"""Stored pictures: kept while something names them, rendered by a worker, and gone with all their files afterwards."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from eventhub_config.shared.errors import Busy, InvalidTransition
from eventhub_config.shared.images import files, storing
from eventhub_config.shared.images.refusals import ImageDamaged, ImageNotRecognised, StorageUnavailable
from eventhub_config.shared.images.rendering import images_to_work_on, work_on
from eventhub_config.shared.images.storing import (
    MAY_BE_UNUSED,
    discard_if_unused,
    discard_unused_images,
    put_to_use,
    retry,
    stored_image,
)
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.tests.pictures import chunks_of_webp, halves, opened, picture, pixel, saved, talkative
from users.models import CustomUser, UserProfile
from users.services import remove_avatar, set_avatar
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Give each test a folder of its own; what is in it at the end is all that was ever stored."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def in_folder(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def an_avatar(user: CustomUser | None = None, content: bytes | None = None, now: datetime = NOW) -> StoredImage:
    user = user or a_user()
    set_avatar(user_id=user.pk, content=content or picture(), actor=user, now=now)
    avatar = UserProfile.objects.select_related("avatar").get(user=user).avatar
    assert avatar is not None
    return avatar


def a_cover(content: bytes) -> StoredImage:
    """Return a cover image that is put to use; which row names it does not matter to the worker."""
    image = an_avatar(content=content)
    StoredImage.objects.filter(pk=image.pk).update(purpose=StoredImage.Purpose.COVER)
    return image


def findings(name: str) -> list[str]:
    return [
        f"{finding.subject}: {finding.message}"
        for check in all_checks()
        for finding in check.findings()
        if check.name == name
    ]


# --- Storing ----------------------------------------------------------------------------------------------------------


def test_a_picture_that_is_refused_leaves_nothing(folder: Path) -> None:
    with (
        pytest.raises(ImageNotRecognised),
        stored_image(b"<svg>", purpose=StoredImage.Purpose.AVATAR, uploaded_by=1, now=NOW),
    ):
        pass

    assert not StoredImage.objects.exists()
    assert in_folder(folder) == set()


def test_a_picture_that_is_not_put_to_use_is_discarded_and_removed(folder: Path) -> None:
    with stored_image(picture(), purpose=StoredImage.Purpose.AVATAR, uploaded_by=1, now=NOW) as image:
        assert in_folder(folder) == {f"images/{image.key}/master.webp"}

    work_on(key=image.key, now=NOW)

    assert not StoredImage.objects.exists()
    assert list(folder.joinpath("images").iterdir()) == []


def test_a_picture_is_never_stored_within_a_transaction(folder: Path) -> None:
    @unit_of_work
    def store() -> None:
        with stored_image(picture(), purpose=StoredImage.Purpose.AVATAR, uploaded_by=1, now=NOW):
            pass

    with pytest.raises(RuntimeError, match="not within a transaction"):
        store()

    assert not StoredImage.objects.exists()


def test_a_storage_that_takes_nothing_is_told_and_leaves_nothing_in_use(folder: Path) -> None:
    user = a_user()
    folder.joinpath("images").write_text("a file where a folder should be")

    with pytest.raises(StorageUnavailable):
        set_avatar(user_id=user.pk, content=picture(), actor=user, now=NOW)

    assert UserProfile.objects.get(user=user).avatar is None
    assert StoredImage.objects.get().discarded_at == NOW


def test_a_file_is_there_as_a_whole_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError("No space left on device")

    files.save("KEY", "small", b"before")
    monkeypatch.setattr("eventhub_config.shared.images.folder.os.fsync", no_space)

    with pytest.raises(StorageUnavailable):
        files.save("KEY", "small", b"after")

    assert in_folder(folder) == {"images/KEY/small.webp"}
    with files.open_file("KEY", "small") as file:
        assert file.read() == b"before"


def test_files_can_be_read_by_those_who_share_the_folder(folder: Path) -> None:
    files.save("KEY", "small", b"content")

    assert folder.joinpath("images/KEY/small.webp").stat().st_mode & 0o777 == 0o644


# --- Rendering --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1200, 900), (64, 192, 512)), ((900, 1200), (64, 192, 512)), ((300, 100), (64, 100, 100)), ((1, 1), (1, 1, 1))],
)
def test_an_avatar_is_rendered_as_squares_and_never_enlarged(size: tuple[int, int], expected: tuple[int, ...]) -> None:
    """USR-2"""
    image = an_avatar(content=picture(size=size))

    work_on(key=image.key, now=NOW)

    sizes = [opened(files.open_file(image.key, name).read()).size for name in files.SIZES]
    assert sizes == [(side, side) for side in expected]
    image.refresh_from_db()
    assert (image.rendered_at, image.next_attempt_at, image.claimed_until) == (NOW, None, None)


def test_an_avatar_is_cut_from_the_middle() -> None:
    wide = halves((400, 100))

    image = an_avatar(content=saved(wide, "PNG"))
    work_on(key=image.key, now=NOW)

    small = opened(files.open_file(image.key, "small").read())
    assert pixel(small, (8, 56))[0] > 200
    assert pixel(small, (56, 56))[2] > 200


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2000, 1000), [(400, 200), (800, 400), (1600, 800)]),
        ((4000, 1000), [(400, 100), (800, 200), (1600, 400)]),
        ((1000, 2000), [(400, 800), (800, 1600), (1000, 2000)]),
        ((300, 200), [(300, 200)] * 3),
    ],
)
def test_a_cover_is_rendered_in_three_widths_and_never_enlarged(
    size: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    """EVT-1"""
    image = a_cover(picture(size=size))

    work_on(key=image.key, now=NOW)

    assert [opened(files.open_file(image.key, name).read()).size for name in files.SIZES] == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_file_holds_anything_but_pixels(folder: Path, kind: str) -> None:
    """RELIABILITY I6: GPS and all else are gone from each of them."""
    image = an_avatar(content=talkative(kind, (800, 600)))
    work_on(key=image.key, now=NOW)

    stored = [path.read_bytes() for path in folder.rglob("*.webp")]
    assert len(stored) == 4
    for content in stored:
        assert set(chunks_of_webp(content)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


def test_work_is_done_once_however_often_it_is_asked_for() -> None:
    image = an_avatar()

    for minute in range(3):
        work_on(key=image.key, now=NOW + timedelta(minutes=minute))
    work_on(key="NOSUCHKEY", now=NOW)

    image.refresh_from_db()
    assert (image.rendered_at, image.attempts) == (NOW, 1)
    assert not images_to_work_on(NOW + timedelta(days=1)).exists()


def test_a_claim_that_a_worker_left_behind_runs_out() -> None:
    image = an_avatar()
    StoredImage.objects.filter(pk=image.pk).update(claimed_until=NOW + timedelta(seconds=75))

    work_on(key=image.key, now=NOW + timedelta(seconds=74))
    assert not files.there_are(image.key) & set(files.SIZES)
    assert not images_to_work_on(NOW + timedelta(seconds=74)).exists()

    assert list(images_to_work_on(NOW + timedelta(seconds=75))) == [image.key]
    work_on(key=image.key, now=NOW + timedelta(seconds=75))
    assert files.there_are(image.key) == {"master", "small", "medium", "large"}


def test_a_picture_that_cannot_be_rendered_is_parked_and_can_be_retried(folder: Path) -> None:
    image = an_avatar()
    master = folder / "images" / image.key / "master.webp"
    kept = master.read_bytes()
    master.unlink()

    moment = NOW
    for _ in range(StoredImage.MAX_ATTEMPTS):
        work_on(key=image.key, now=moment)
        moment += timedelta(hours=2)
    image.refresh_from_db()
    assert image.attempts == StoredImage.MAX_ATTEMPTS
    assert image.parked_at is not None
    assert "FileNotFoundError" in image.last_error
    assert not images_to_work_on(moment).exists()

    master.write_bytes(kept)
    retry(key=image.key, now=moment)
    work_on(key=image.key, now=moment)

    image.refresh_from_db()
    assert (image.rendered_at, image.parked_at, image.last_error) == (moment, None, "")


def test_only_what_was_given_up_can_be_retried() -> None:
    image = an_avatar()

    with pytest.raises(InvalidTransition):
        retry(key=image.key, now=NOW)


def test_the_sweep_does_what_no_worker_was_woken_for(folder: Path) -> None:
    images = [an_avatar(), an_avatar()]
    output = StringIO()

    call_command("run_job", "sweep_images", "--now", NOW.isoformat(), stdout=output)

    assert output.getvalue() == "sweep_images: 2\n"
    assert len(in_folder(folder)) == 4 * len(images)


# --- Discarding -------------------------------------------------------------------------------------------------------


def test_the_picture_before_is_removed_with_all_its_files(folder: Path) -> None:
    user = a_user()
    before = an_avatar(user)
    work_on(key=before.key, now=NOW)

    after = an_avatar(user, picture(colour="red"))
    work_on(key=before.key, now=NOW)

    assert list(StoredImage.objects.all()) == [after]
    assert in_folder(folder) == {f"images/{after.key}/master.webp"}
    assert not folder.joinpath("images", before.key).exists()


def test_a_picture_that_others_share_stays_until_the_last_of_them_lets_go(folder: Path) -> None:
    owner, other = a_user(), a_user()
    image = an_avatar(owner)
    UserProfile.objects.filter(user=other).update(avatar=image)

    remove_avatar(user_id=owner.pk, actor=owner, now=NOW)
    image.refresh_from_db()
    assert image.discarded_at is None

    remove_avatar(user_id=other.pk, actor=other, now=NOW)
    image.refresh_from_db()
    assert image.discarded_at == NOW


def test_a_picture_in_use_cannot_be_discarded() -> None:
    image = an_avatar()

    assert not discard_if_unused(key=image.key, now=NOW)
    assert not discard_if_unused(key="NOSUCHKEY", now=NOW)


def test_a_discarded_picture_cannot_be_put_to_use() -> None:
    image = StoredImage.objects.create(purpose="avatar", uploaded_by=1, width=1, height=1, created_at=NOW)
    assert discard_if_unused(key=image.key, now=NOW)

    with pytest.raises(Busy):
        put_to_use(key=image.key, now=NOW)


def test_removing_is_tried_again_until_the_storage_is_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = a_user()
    image = an_avatar(user)
    remove_avatar(user_id=user.pk, actor=user, now=NOW)

    def away(_name: str) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", away)
        work_on(key=image.key, now=NOW)
    image.refresh_from_db()
    assert image.next_attempt_at == NOW + timedelta(seconds=20)

    work_on(key=image.key, now=NOW + timedelta(seconds=20))

    assert not StoredImage.objects.exists()
    assert in_folder(folder) == set()


def test_a_picture_discarded_while_it_was_rendered_is_removed_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = a_user()
    image = an_avatar(user)
    save = files.save

    def replaced_meanwhile(key: str, size: str, content: bytes) -> None:
        save(key, size, content)
        remove_avatar(user_id=user.pk, actor=user, now=NOW)

    with monkeypatch.context() as patch:
        patch.setattr(files, "save", replaced_meanwhile)
        work_on(key=image.key, now=NOW)
    assert list(images_to_work_on(NOW)) == [image.key]

    work_on(key=image.key, now=NOW)

    assert not StoredImage.objects.exists()
    assert in_folder(folder) == set()


def test_what_a_killed_process_left_half_written_goes_too(folder: Path) -> None:
    user = a_user()
    image = an_avatar(user)
    folder.joinpath("images", image.key, ".abc.part").write_bytes(b"half")

    remove_avatar(user_id=user.pk, actor=user, now=NOW)
    work_on(key=image.key, now=NOW)

    assert not folder.joinpath("images", image.key).exists()


def test_an_upload_whose_process_was_killed_is_found_after_an_hour(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there before the file, so that no moment of dying leaves a file that nobody knows."""
    monkeypatch.setattr(storing, "discard_if_unused", lambda **_: False)  # what a killed process does not do
    with stored_image(picture(), purpose=StoredImage.Purpose.AVATAR, uploaded_by=1, now=NOW) as image:
        pass
    monkeypatch.undo()
    in_use = an_avatar()

    assert discard_unused_images(NOW + MAY_BE_UNUSED - timedelta(seconds=1)) == 0
    assert discard_unused_images(NOW + MAY_BE_UNUSED) == 1

    call_command("run_job", "sweep_images", "--now", (NOW + MAY_BE_UNUSED).isoformat(), stdout=StringIO())
    assert list(StoredImage.objects.all()) == [in_use]
    assert not folder.joinpath("images", image.key).exists()


def test_damage_in_the_end_leaves_the_picture_before(folder: Path) -> None:
    user = a_user()
    before = an_avatar(user)

    with pytest.raises(ImageDamaged):
        set_avatar(user_id=user.pk, content=picture()[:-30], actor=user, now=NOW)

    assert UserProfile.objects.get(user=user).avatar == before
    assert in_folder(folder) == {f"images/{before.key}/master.webp"}


# --- Integrity --------------------------------------------------------------------------------------------------------


def test_all_is_well_with_pictures_in_use() -> None:
    rendered = an_avatar()
    work_on(key=rendered.key, now=NOW)
    an_avatar()

    for name in ("image_files", "image_use", "avatars"):
        assert findings(name) == []


def test_missing_files_are_found(folder: Path) -> None:
    bare, rendered = an_avatar(), an_avatar()
    work_on(key=rendered.key, now=NOW)
    folder.joinpath("images", bare.key, "master.webp").unlink()
    folder.joinpath("images", rendered.key, "medium.webp").unlink()

    assert sorted(findings("image_files")) == sorted(
        [f"picture {bare.key}: has no file master", f"picture {rendered.key}: has no file medium"]
    )


def test_pictures_that_nobody_uses_are_found_once_the_job_should_have_found_them() -> None:
    StoredImage.objects.create(
        key="OLD", purpose="avatar", uploaded_by=1, width=1, height=1, created_at=NOW - timedelta(days=900)
    )

    assert findings("image_use") == ["picture OLD: is used by nobody, and was not discarded"]


def test_avatars_that_are_none_are_found() -> None:
    cover, gone = a_cover(picture()), an_avatar()
    StoredImage.objects.filter(pk=gone.pk).update(discarded_at=NOW)

    profiles = {profile.avatar_id: profile.user_id for profile in UserProfile.objects.all()}
    assert findings("avatars") == [
        f"user {profiles[key]}: has an avatar that is {words}"
        for key, words in ((cover.key, "a cover"), (gone.key, "discarded"))
    ]


def test_a_row_that_is_named_cannot_be_deleted() -> None:
    image = an_avatar()

    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError), transaction.atomic():
        image.delete()
