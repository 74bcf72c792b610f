"""USR-3, RELIABILITY H6: where an address must be confirmed first, registering tells nobody who has an account."""

from typing import Any
from unittest.mock import Mock

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from eventhub_config.tests.races import at_once, outcomes
from users import signals
from users.models import CustomUser, PendingRegistration
from users.services import answer_registration, confirm_address, request_registration
from users.services.links import MAILS_PER_HOUR, token_of
from users.tests.factories import NOW, PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db

ADA: dict[str, Any] = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
VERIFY = "/api/auth/email/verify/"


@pytest.fixture(autouse=True)
def _required(settings: Settings) -> None:
    settings.EMAIL_VERIFICATION = "required"


def register(**changes: Any):
    return a_client().post("/api/users/", ADA | changes)


def pending(**changes: Any) -> PendingRegistration:
    request_registration(**ADA | changes, now=NOW)
    return PendingRegistration.objects.latest("pk")


def test_makes_no_account_yet():
    response = register()

    assert (response.status_code, response.json()) == (202, {"email": "ada@example.com"})
    assert "Location" not in response
    assert not CustomUser.objects.exists()
    row = PendingRegistration.objects.get()
    assert PASSWORD not in row.password
    assert row.password.startswith("argon2")


def test_makes_the_account_when_the_link_is_used():
    register(user_type="organizer", first_name="Ada", last_name="King")
    token = token_of(PendingRegistration.objects.get())

    response = a_client().post(VERIFY, {"token": token})

    assert response.status_code == 200
    user = CustomUser.objects.get()
    assert (user.username, user.email, user.user_type, user.get_full_name()) == (
        "ada",
        "ada@example.com",
        "organizer",
        "Ada King",
    )
    assert user.email_verified_at == user.date_joined
    assert user.organizer_profile.invoice_prefix == f"EH{user.pk}"
    assert a_client().post("/api/auth/token/", {"username": "ada", "password": PASSWORD}).status_code == 200
    assert a_client().post(VERIFY, {"token": token}).json()["code"] == "link_not_valid"
    assert not PendingRegistration.objects.exists()


def test_cannot_be_signed_in_to_before():
    register()

    response = a_client().post("/api/auth/token/", {"username": "ada", "password": PASSWORD})

    assert (response.status_code, response.json()["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize("known", [{}, {"username": "ada"}, {"email": "ada@example.com"}])
def test_answers_alike_whoever_has_name_or_address(
    known: dict[str, str], django_assert_num_queries: DjangoAssertNumQueries
):
    a_user(**known)
    register(email="warm@example.org")  # whatever is done once per process is done

    with django_assert_num_queries(4):  # a limit, and one row in a transaction
        response = register()

    assert response.status_code == 202
    assert response.content == b'{"email":"ada@example.com"}'
    assert set(response.headers) == set(register(email="other@example.org").headers)


def test_refuses_what_only_depends_on_what_was_sent():
    a_user(username="ada", email="ada@example.com")

    for changes in ({"password": "short1!"}, {"username": "a@b"}, {"user_type": "admin"}, {"email": "x"}):
        assert register(**changes).status_code == 400
    assert not PendingRegistration.objects.exists()


@pytest.mark.parametrize("taken", [False, True])
def test_has_a_worker_decide_what_to_write(taken: bool):
    owner = a_user(email="ADA@example.com") if taken else None
    row = pending()
    to_mail, in_use = Mock(), Mock()
    signals.registration_link_owed.connect(to_mail)
    signals.address_in_use.connect(in_use)

    for _ in range(2):
        answer_registration(pending_id=row.pk, now=NOW)

    signals.registration_link_owed.disconnect(to_mail)
    signals.address_in_use.disconnect(in_use)
    assert (to_mail.call_count, in_use.call_count) == ((0, 1) if taken else (1, 0))
    assert PendingRegistration.objects.exists() is not taken
    if taken:
        assert in_use.call_args.kwargs["user"] == owner


def test_floods_no_mailbox():
    heard = Mock()
    signals.registration_link_owed.connect(heard)
    for number in range(MAILS_PER_HOUR + 2):
        answer_registration(pending_id=pending(username=f"ada{number}").pk, now=NOW)

    signals.registration_link_owed.disconnect(heard)
    assert heard.call_count == MAILS_PER_HOUR
    assert PendingRegistration.objects.count() == MAILS_PER_HOUR


def test_lets_the_first_that_is_confirmed_have_the_address():
    first, second = pending(username="one"), pending(username="two", email="Ada@Example.COM")

    confirm_address(token=token_of(second), username=None, now=NOW)

    assert [user.username for user in CustomUser.objects.all()] == ["two"]
    response = a_client().post(VERIFY, {"token": token_of(first)})
    assert (response.status_code, response.json()["code"]) == (400, "link_not_valid")


def test_asks_for_another_username_when_somebody_has_it():
    row = pending()
    a_user(username="ADA")
    token = token_of(row)
    row.expires_at = row.expires_at.replace(year=2100)
    row.save()

    refused = a_client().post(VERIFY, {"token": token})

    assert (refused.status_code, refused.json()["code"]) == (409, "username_taken")
    assert a_client().post(VERIFY, {"token": token, "username": "a@b"}).status_code == 400
    accepted = a_client().post(VERIFY, {"token": token, "username": "lovelace"})
    assert (accepted.status_code, accepted.json()["username"]) == (200, "lovelace")


def test_ends_when_the_address_has_an_account_by_now():
    row = pending()
    a_user(email="ada@example.com")

    response = a_client().post(VERIFY, {"token": token_of(row)})

    assert (response.status_code, response.json()["code"]) == (400, "link_not_valid")
    assert CustomUser.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_makes_one_account_of_many_links_at_once():
    tokens = [token_of(pending(username=f"ada{number % 2}")) for number in range(10)]

    results = at_once([lambda token=token: confirm_address(token=token, username=None, now=NOW) for token in tokens])

    assert outcomes(results) == {"ok": 1, "link_not_valid": 9}
    assert CustomUser.objects.count() == 1


def test_waits_for_approval_as_well_where_both_are_asked_for(settings: Settings):
    settings.ORGANIZER_APPROVAL = True
    row = pending(user_type="organizer")

    confirm_address(token=token_of(row), username=None, now=NOW)

    assert CustomUser.objects.get().organizer_status == "pending"
