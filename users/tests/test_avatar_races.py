"""Several avatars for one person at once: one of them is used, and the others are discarded."""

from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import picture
from eventhub_config.tests.races import at_once, outcomes
from users.models import CustomUser, UserProfile
from users.services import avatars, set_avatar
from users.tests.factories import NOW, a_user

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6
COLOURS = ("red", "green", "blue", "white", "black", "teal")


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def race(user: CustomUser) -> bool:
    """Set several avatars at once; return whether every picture is either in use or discarded."""

    def send(colour: str) -> None:
        # Decoded here: in a process of its own each would take its time, and they would come one after another.
        set_avatar(user_id=user.pk, content=picture(colour=colour), of_ours=True, actor=user, now=NOW)

    results = at_once([lambda colour=colour: send(colour) for colour in COLOURS[:AT_ONCE]])

    assert outcomes(results) == {"ok": AT_ONCE}
    kept = StoredImage.objects.filter(uploaded_by=user.pk, discarded_at=None)
    return list(kept) == [UserProfile.objects.get(user=user).avatar]


def test_one_is_used_and_the_others_are_discarded() -> None:
    """USR-2"""
    user = a_user()

    for _ in range(3):
        assert race(user)

    assert StoredImage.objects.count() == 3 * AT_ONCE
    assert UserProfile.objects.get(user=user).version == 1 + 3 * AT_ONCE


def test_control_without_the_lock_a_picture_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without the lock on the user, to see that the test above would notice."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one writer in at a time, lock or not")
    monkeypatch.setattr(avatars, "locked", lambda user_id: CustomUser.objects.with_details().get(pk=user_id))

    assert not all(race(a_user()) for _ in range(10))
