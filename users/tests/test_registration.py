from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import IntegrityError
from pytest_django import Settings

from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.races import at_once
from users import signals
from users.models import CustomUser
from users.services import accounts, register_user
from users.tests.factories import NOW, PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db

ADA: dict[str, Any] = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}


def codes(response):
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def test_makes_an_attendee_with_a_profile():
    response = a_client().post("/api/users/", ADA | {"first_name": "Ada", "last_name": "Lovelace"})

    assert response.status_code == 201
    user = CustomUser.objects.get()
    assert response.json() == {
        "id": user.pk,
        "username": "ada",
        "email": "ada@example.com",
        "email_verified_at": None,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "user_type": "attendee",
        "organizer_status": None,
        "is_active": True,
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
        "profile": {
            "phone": "",
            "bio": "",
            "organization": "",
            "website": "",
            "avatar": None,
            "timezone": "UTC",
            "language": "en",
            "interests": [],
            "notification_preferences": {},
        },
        "legal_name": None,
        "legal_address": None,
        "tax_id": None,
        "invoice_prefix": None,
    }
    assert user.check_password(PASSWORD)
    assert not user.is_staff


def test_makes_an_organizer_who_can_invoice():
    response = a_client().post("/api/users/", ADA | {"user_type": "organizer"})

    assert response.status_code == 201
    user = CustomUser.objects.get()
    assert response.json()["organizer_status"] == "approved"
    assert response.json()["invoice_prefix"] == f"EH{user.pk}"
    assert user.may_publish
    assert [group.name for group in user.groups.all()] == ["organizers"]


def test_leaves_a_new_organizer_waiting_where_approval_is_needed(settings: Settings):
    settings.ORGANIZER_APPROVAL = True

    response = a_client().post("/api/users/", ADA | {"user_type": "organizer"})

    assert response.json()["organizer_status"] == "pending"
    user = CustomUser.objects.get()
    assert user.runs_events
    assert not user.may_publish


def test_is_not_for_administrators():
    response = a_client().post("/api/users/", ADA | {"user_type": "admin"})

    assert response.status_code == 400
    assert codes(response) == {"user_type": "invalid_choice"}
    assert not CustomUser.objects.exists()


def test_is_not_for_administrators_by_the_service_either():
    with pytest.raises(InvalidInput):
        register_user(**ADA, user_type="admin", now=NOW)

    assert not CustomUser.objects.exists()


def test_names_each_field_that_is_taken():
    a_user(username="ada", email="ada@example.com")

    response = a_client().post("/api/users/", ADA)

    assert response.status_code == 400
    assert codes(response) == {"username": "username_taken", "email": "email_taken"}
    assert CustomUser.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [("short1!", "password_too_short"), ("password123", "password_too_common"), ("ada@example.com", None)],
)
def test_refuses_a_weak_password(password: str, code: str | None):
    response = a_client().post("/api/users/", ADA | {"password": password})

    assert response.status_code == 400
    assert codes(response) == {"password": code or "password_too_similar"}
    assert not CustomUser.objects.exists()


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_needs_name_address_and_password(field: str):
    response = a_client().post("/api/users/", {name: value for name, value in ADA.items() if name != field})

    assert response.status_code == 400
    assert codes(response) == {field: "required"}


def test_refuses_line_breaks_in_a_name():
    response = a_client().post("/api/users/", ADA | {"first_name": "Ada\r\nBcc: everyone@example.com"})

    assert response.status_code == 400
    assert codes(response) == {"first_name": "control_character"}


def test_keeps_the_password_as_it_was_typed():
    a_client().post("/api/users/", ADA | {"password": f"  {PASSWORD} "})

    assert CustomUser.objects.get().check_password(f"  {PASSWORD} ")


def test_tells_others_and_leaves_history_in_the_same_transaction():
    heard = Mock()
    signals.user_registered.connect(heard)

    user = register_user(**ADA, now=NOW)
    signals.user_registered.disconnect(heard)

    assert heard.call_args.kwargs["user"] == user
    change = StatusChange.objects.get(subject_type="users.customuser", subject_id=user.pk)
    assert (change.to_status, change.actor, change.at) == ("attendee", f"user:{user.pk}", NOW)


def test_is_undone_when_somebody_who_hears_of_it_fails():
    def fail(**_):
        raise RuntimeError

    signals.user_registered.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            register_user(**ADA, now=NOW)
    finally:
        signals.user_registered.disconnect(fail)

    assert not CustomUser.objects.exists()


def test_names_the_field_when_somebody_else_was_quicker(monkeypatch: pytest.MonkeyPatch):
    a_user(username="ada")
    look = accounts.taken
    answers: Iterator[list[dict[str, str]]] = iter([[]])  # the first look sees nobody yet
    monkeypatch.setattr(accounts, "taken", lambda user: next(answers, None) or look(user))

    with pytest.raises(InvalidInput) as refusal:
        register_user(**ADA, now=NOW)

    assert [error["code"] for error in refusal.value.errors] == ["username_taken"]
    assert CustomUser.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_makes_one_of_eight_that_come_at_once():
    def register():
        response = a_client().post("/api/users/", ADA)
        return response.status_code, response.json().get("code")

    answers = at_once([register] * 8)

    assert sorted(answers, key=str) == [(201, None)] + [(400, "invalid")] * 7
    assert CustomUser.objects.count() == 1


def test_is_limited_per_address(settings: Settings):
    settings.SIGN_IN_ADDRESS_LIMIT = 2
    client = a_client()
    for number in range(2):
        assert (
            client.post("/api/users/", ADA | {"username": f"u{number}", "email": f"u{number}@a.org"}).status_code == 201
        )

    response = client.post("/api/users/", ADA)

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert CustomUser.objects.count() == 2
    assert a_client(address="192.0.2.7").post("/api/users/", ADA).status_code == 201


def test_cannot_be_bypassed_at_the_database():
    a_user(username="ada")

    with pytest.raises(IntegrityError):
        CustomUser.objects.create(username="ADA", email="other@example.com")


@pytest.mark.parametrize("verification", ["optional", "required"])
@pytest.mark.parametrize(("more", "status"), [(0, "taken"), (1, "refused")])
def test_measures_an_address_as_it_is_stored(settings: Settings, verification: str, more: int, status: str):
    """Made small, a letter may become two, while what the address is compared by may be shorter."""
    settings.EMAIL_VERIFICATION = verification
    domain = ".".join([*["İ" * 5] * 4, *["xn--mnchen-3ya"] * 10, "example"])
    local = "a" * (254 + more - len(f"@{domain.lower()}"))

    response = a_client().post("/api/users/", ADA | {"email": f"{local}@{domain}"})

    if status == "refused":
        assert response.status_code == 400
        assert codes(response) == {"email": "max_length"}
    else:
        assert response.status_code == (202 if verification == "required" else 201)
