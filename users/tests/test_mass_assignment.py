"""What a body may not set, it does not set: under any name, nested or not."""

from typing import Any

import pytest
from django.forms.models import model_to_dict

from users.models import CustomUser
from users.tests.factories import PASSWORD, a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

FORBIDDEN: dict[str, Any] = {
    "id": 4711,
    "pk": 4711,
    "role": "admin",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "groups": [1],
    "user_permissions": [1],
    "email_verified": True,
    "email_verified_at": "2027-01-01T00:00:00Z",
    "email_key": "other@example.com",
    "username_key": "other",
    "token_version": 99,
    "organizer_status": "approved",
    "organizer": 1,
    "user": 1,
    "status": "approved",
    "version": 99,
    "date_joined": "2001-01-01T00:00:00Z",
    "last_login": "2001-01-01T00:00:00Z",
    "created_at": "2001-01-01T00:00:00Z",
    "amount": "0.00",
    "paid": True,
    "price": "0.00",
    "checked_in": True,
    "verified": True,
    "organizer_profile": {"legal_name": "Mine", "invoice_prefix": "MINE"},
    "user__is_staff": True,
    "__proto__": {"is_staff": True},
}


def state(user: CustomUser) -> dict[str, Any]:
    user = CustomUser.objects.get(pk=user.pk)
    about = model_to_dict(user) | {"token_version": user.token_version, "joined": user.date_joined}
    return about | {"keys": (user.username_key, user.email_key), "verified": user.email_verified_at}


@pytest.mark.parametrize("user_type", ["attendee", "organizer"])
def test_at_registration(settings, user_type: str):
    settings.ORGANIZER_APPROVAL = True
    body = {"username": "ada", "email": "ada@example.com", "password": PASSWORD, "user_type": user_type}

    response = a_client().post("/api/users/", FORBIDDEN | {"profile": FORBIDDEN} | body)

    assert response.status_code == 201
    user = CustomUser.objects.get()
    assert user.pk != 4711
    assert user.user_type == user_type
    assert user.is_staff == (user_type == "organizer")
    assert not user.is_superuser
    assert user.is_active
    assert user.organizer_status == ("pending" if user_type == "organizer" else "")
    assert user.email_verified_at is None
    assert (user.token_version, user.profile.version) == (1, 1)
    assert user.date_joined.year != 2001
    assert (user.username_key, user.email_key) == ("ada", "ada@example.com")


@pytest.mark.parametrize("person", [a_user, an_organizer])
def test_at_ones_own_account(person):
    user = person()
    before = state(user)
    unchangeable = {"user_type": "admin", "username": "root", "email": "root@example.com", "password": "hacked it now"}

    response = a_client_of(user).patch("/api/users/me/", FORBIDDEN | unchangeable | {"profile": FORBIDDEN})

    assert response.status_code == 200
    assert state(user) == before


def test_at_an_account_that_an_administrator_changes():
    user = a_user()
    before = state(user)
    others = {name: value for name, value in FORBIDDEN.items() if name not in {"is_active", "organizer_status"}}

    response = a_client_of(an_admin()).patch(
        f"/api/users/{user.pk}/", others | {"username": "root", "email": "root@example.com", "password": "hacked"}
    )

    assert response.status_code == 200
    assert state(user) == before


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
def test_not_in_a_form_either(media_type: str):
    user = a_user()
    before = state(user)
    form = "--b\r\nContent-Disposition: form-data; name=is_staff\r\n\r\n1\r\n--b--\r\n"

    response = a_client_of(user).patch(
        "/api/users/me/", form if "multipart" in media_type else "is_staff=1", content_type=media_type
    )

    assert response.status_code == 415
    assert state(user) == before
