"""How many statements the users' API takes, whatever the number of rows."""

import pytest
from pytest_django import DjangoAssertNumQueries

from users.services.tokens import claims_of, living_user
from users.tests.factories import a_client, a_client_of, a_user, an_admin, an_organizer, tokens_for

pytestmark = pytest.mark.django_db


def test_one_for_knowing_who_calls(django_assert_num_queries: DjangoAssertNumQueries):
    from rest_framework_simplejwt.tokens import AccessToken

    user = a_user()
    claims = claims_of(AccessToken(tokens_for(user).access))  # type: ignore[arg-type]

    with django_assert_num_queries(1):
        caller = living_user(claims)
        assert caller == user
        assert not caller.is_platform_admin
        assert caller.display_name == user.username


@pytest.mark.parametrize("person", [a_user, an_organizer])
def test_two_for_my_account(person, django_assert_num_queries: DjangoAssertNumQueries):
    client = a_client_of(person())

    with django_assert_num_queries(2):
        assert client.get("/api/users/me/").status_code == 200


@pytest.mark.parametrize("rows", [3, 30])
def test_three_for_the_list(rows: int, django_assert_num_queries: DjangoAssertNumQueries):
    client = a_client_of(an_admin())
    for _ in range(rows):
        a_user()
        an_organizer()

    with django_assert_num_queries(3):  # who calls, one page, the count
        assert client.get("/api/users/?page_size=5").status_code == 200


def test_one_for_an_organizers_page(django_assert_num_queries: DjangoAssertNumQueries):
    organizer = an_organizer()

    with django_assert_num_queries(1):
        assert a_client().get(f"/api/organizers/{organizer.pk}/").status_code == 200
