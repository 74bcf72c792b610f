from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from users.demo import SIGN_INS, load
from users.integrity import CHECKS
from users.models import CustomUser
from users.tests.factories import NOW, a_client

pytestmark = pytest.mark.django_db


def test_sign_in_as_they_are_documented():
    load(now=NOW)

    for sign_in in SIGN_INS:
        for login in (sign_in.username, sign_in.email):
            response = a_client().post("/api/auth/token/", {"username": login, "password": sign_in.password})
            assert response.status_code == 200
        assert CustomUser.objects.get(username=sign_in.username).user_type == sign_in.user_type
    assert [finding for check in CHECKS for finding in check.findings()] == []


def test_show_somebody_unverified_and_somebody_who_waits_for_approval():
    load(now=NOW)

    assert [user.username for user in CustomUser.objects.filter(email_verified_at=None)] == ["eve"]
    assert [user.username for user in CustomUser.objects.filter(organizer_status="pending")] == ["petra"]


def test_are_made_once(django_assert_num_queries: DjangoAssertNumQueries):
    load(now=NOW)
    CustomUser.objects.filter(username="ada").update(first_name="Renamed")

    with django_assert_num_queries(1):
        load(now=NOW)

    assert CustomUser.objects.count() == len(SIGN_INS)
    assert CustomUser.objects.get(username="ada").first_name == "Renamed"


def test_organizers_have_avatars(settings: Settings, tmp_path: Path) -> None:
    """API-5"""
    settings.MEDIA_ROOT = tmp_path
    load(now=NOW)

    shown = {user.username: user.profile.avatar_id is not None for user in CustomUser.objects.with_details()}

    assert shown == {sign_in.username: sign_in.user_type == "organizer" for sign_in in SIGN_INS}
