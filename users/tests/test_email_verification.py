"""USR-4: an e-mail address is confirmed by a link, before the first sign-in where the settings ask for it."""

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from eventhub_config.shared.models import StatusChange
from users.models import AccountLink, CustomUser
from users.services import register_user
from users.services.accounts import add_user
from users.services.links import MAILS_PER_HOUR, token_of
from users.tests.factories import NOW, PASSWORD, a_client, a_client_of, a_link, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

VERIFY, AGAIN = "/api/auth/email/verify/", "/api/users/me/email/verify/"


def links_of(user: CustomUser) -> int:
    return AccountLink.objects.filter(user=user, purpose="verify_email").count()


def sign_in(user: CustomUser, password: str = PASSWORD):
    return a_client().post("/api/auth/token/", {"username": user.username, "password": password})


@pytest.fixture
def required(settings: Settings) -> None:
    settings.EMAIL_VERIFICATION = "required"


def test_is_told_of_in_meta(settings: Settings):
    settings.EMAIL_VERIFICATION, settings.ORGANIZER_APPROVAL = "required", True

    told = a_client().get("/api/meta/").json()["registration"]

    assert told == {"email_verification": "required", "organizer_approval": True}


def test_begins_at_registration():
    user = register_user(username="ada", email="ada@example.com", password=PASSWORD, now=NOW)

    link = AccountLink.objects.get()
    assert (link.user, link.purpose, link.email, link.created_at) == (user, "verify_email", "ada@example.com", NOW)


def test_is_done_by_the_link():
    user = a_user()
    version = user.profile.version

    response = a_client().post(VERIFY, {"token": token_of(a_link(user, "verify_email"))})

    assert response.status_code == 200
    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert response.json() == {
        "username": user.username,
        "email": user.email,
        "email_verified_at": user.email_verified_at.isoformat().replace("+00:00", "Z"),
    }
    assert a_client_of(user).get("/api/users/me/").json()["email_verified_at"] == response.json()["email_verified_at"]
    user.profile.refresh_from_db()
    assert user.profile.version == version + 1  # its ETag is another one
    change = StatusChange.objects.get(subject_type="users.customuser", subject_id=user.pk, note="email")
    assert (change.from_status, change.to_status, change.actor) == ("unverified", "verified", f"user:{user.pk}")


def test_signs_nobody_in():
    response = a_client().post(VERIFY, {"token": token_of(a_link(a_user(), "verify_email"))})

    assert not {"access", "refresh"} & set(response.json())
    assert not response.cookies


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": "x" * 501}, {"token": {}}, {"token": "x"}, []])
def test_refuses_what_is_no_token(body: object):
    response = a_client().post(VERIFY, body)

    assert response.status_code == 400


def test_can_be_asked_for_again_some_times():
    user = a_user()
    client = a_client_of(user)

    answers = [client.post(AGAIN).status_code for _ in range(MAILS_PER_HOUR + 1)]

    assert answers == [202] * MAILS_PER_HOUR + [429]
    assert links_of(user) == MAILS_PER_HOUR
    assert AccountLink.objects.filter(closed_at=None).count() == 1


def test_cannot_be_asked_for_when_it_is_done():
    user = a_user(email_verified_at=NOW)

    response = a_client_of(user).post(AGAIN)

    assert (response.status_code, response.json()["code"]) == (409, "email_already_verified")
    assert links_of(user) == 0


def test_is_not_needed_to_sign_in_unless_required():
    assert sign_in(a_user()).status_code == 200


@pytest.mark.usefixtures("required")
def test_is_needed_to_sign_in_where_required_and_a_new_link_is_sent():
    user = a_user()

    response = sign_in(user)

    assert (response.status_code, response.json()["code"]) == (403, "email_not_verified")
    assert not user.sessions.exists()
    assert links_of(user) == 1
    a_client().post(VERIFY, {"token": token_of(AccountLink.objects.get())})
    assert sign_in(user).status_code == 200


@pytest.mark.usefixtures("required")
def test_says_nothing_of_itself_to_a_wrong_password():
    user = a_user()

    wrong, nobody = sign_in(user, "wrong"), sign_in(CustomUser(username="nobody"), "wrong")

    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() | {"request_id": ""} == nobody.json() | {"request_id": ""}
    assert links_of(user) == 0


@pytest.mark.usefixtures("required")
def test_floods_no_mailbox_by_sign_ins():
    user = a_user()

    answers = [sign_in(user).status_code for _ in range(MAILS_PER_HOUR + 2)]

    assert set(answers) == {403}
    assert links_of(user) == MAILS_PER_HOUR


@pytest.mark.usefixtures("required")
def test_is_needed_for_the_admin_as_well():
    organizer = an_organizer()
    client = Client()

    response = client.post("/admin/login/", {"username": organizer.username, "password": PASSWORD})

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session
    assert links_of(organizer) == 1


@pytest.mark.usefixtures("required")
def test_is_not_needed_by_those_whom_administrators_and_commands_add(monkeypatch: pytest.MonkeyPatch):
    added = add_user(user=CustomUser(username="added", email="added@example.org"), actor=an_admin(), now=NOW)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", username="root", email="root@example.org", verbosity=0)

    assert added.email_verified_at == NOW
    assert not AccountLink.objects.exists()
    assert sign_in(CustomUser(username="root")).status_code == 200
