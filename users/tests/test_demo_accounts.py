from io import StringIO

import pytest
from django.core.management import CommandError, call_command
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


def test_are_made_once(django_assert_num_queries: DjangoAssertNumQueries):
    load(now=NOW)
    CustomUser.objects.filter(username="ada").update(first_name="Renamed")

    with django_assert_num_queries(1):
        load(now=NOW)

    assert CustomUser.objects.count() == len(SIGN_INS)
    assert CustomUser.objects.get(username="ada").first_name == "Renamed"


def test_are_refused_where_they_are_not_allowed(settings: Settings):
    settings.ALLOW_DEMO_DATA = False

    with pytest.raises(CommandError, match="ALLOW_DEMO_DATA"):
        call_command("load_demo")

    assert not CustomUser.objects.exists()


def test_are_told_by_the_command():
    out = StringIO()

    call_command("load_demo", "--print-sign-ins", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["role", "username", "e-mail", "password"]
    assert [line.split()[1] for line in lines[1:]] == [sign_in.username for sign_in in SIGN_INS]
