"""USR-1: an address that was registered before its spellings counted as one is found by each of them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db

ASCII, READABLE = "ada@xn--bcher-kva.example", "ada@bücher.example"


def as_before(email: str, key: str) -> CustomUser:
    user = a_user(email=email)
    CustomUser.objects.filter(pk=user.pk).update(email_key=key)
    return user


def renew_keys() -> None:
    import_module("users.migrations.0005_keys_of_international_addresses").renew_keys(apps, connection.schema_editor())


def test_it_is_found_by_both_spellings_once_the_tables_are_renewed():
    user = as_before(ASCII, ASCII)
    assert CustomUser.objects.with_email(ASCII) is None

    renew_keys()

    assert CustomUser.objects.with_email(ASCII) == CustomUser.objects.with_email(READABLE) == user


@pytest.mark.parametrize("email", ["ada@example.com", "xn--bcher-kva@example.com", "ada@xn--\u00fc.example", READABLE])
def test_every_other_key_stays(email: str):
    user = a_user(email=email)
    before = CustomUser.objects.values().get(pk=user.pk)

    renew_keys()

    assert CustomUser.objects.values().get(pk=user.pk) == before


def test_of_two_people_with_one_address_both_stay_and_the_second_spelling_is_left_to_a_person():
    second = as_before(ASCII, ASCII)
    first = a_user(email=READABLE)

    renew_keys()

    assert CustomUser.objects.with_email(READABLE) == first
    assert CustomUser.objects.get(pk=second.pk).email_key == ASCII
