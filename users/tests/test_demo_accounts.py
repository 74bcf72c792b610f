import pytest
from pytest_django import DjangoAssertNumQueries

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
