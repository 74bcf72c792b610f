"""Flags, groups and what else belongs to a role follow from ``user_type`` alone."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from users.models import CustomUser, OrganizerProfile, apply_role
from users.services import change_role
from users.tests.factories import NOW, PASSWORD, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db


def role(user: CustomUser):
    user = CustomUser.objects.get(pk=user.pk)
    return user.user_type, user.is_staff, user.is_superuser, [group.name for group in user.groups.all()]


ATTENDEE: tuple[str, bool, bool, list[str]] = ("attendee", False, False, [])
ORGANIZER = ("organizer", True, False, ["organizers"])
ADMIN = ("admin", True, True, ["administrators"])


def test_whoever_is_made():
    assert role(a_user()) == ATTENDEE
    assert role(an_organizer()) == ORGANIZER
    assert role(an_admin()) == ADMIN


def test_whatever_flags_are_asked_for():
    assert role(a_user(is_staff=True, is_superuser=True)) == ATTENDEE
    assert role(CustomUser.objects.create_user("eve", "eve@example.com", PASSWORD, is_superuser=True)) == ATTENDEE


def test_by_createsuperuser(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", username="root", email="root@example.com", interactive=False)

    root = CustomUser.objects.get()
    assert role(root) == ADMIN
    assert root.check_password(PASSWORD)
    assert root.profile.version == 1


@pytest.mark.parametrize(
    ("user_type", "expected"), [("attendee", ATTENDEE), ("organizer", ORGANIZER), ("admin", ADMIN)]
)
@pytest.mark.parametrize("person", [a_user, an_organizer, an_admin])
def test_at_every_change(person, user_type: str, expected: tuple[object, ...]):
    user = person()

    change_role(user_id=user.pk, user_type=user_type, actor=an_admin(), now=NOW)

    assert role(user) == expected
    user.refresh_from_db()
    assert bool(user.organizer_status) == (user_type == "organizer")


def test_twice_gives_the_same_details():
    organizer = an_organizer()
    OrganizerProfile.objects.filter(user=organizer).update(legal_name="Ada GmbH")

    apply_role(organizer)

    assert OrganizerProfile.objects.get().legal_name == "Ada GmbH"


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_superuser": True},
        {"is_staff": True},
        {"user_type": "admin"},
        {"user_type": "king"},
        {"organizer_status": "approved"},
    ],
)
def test_at_the_database_too(wrong: dict[str, object]):
    user = a_user()

    with pytest.raises(IntegrityError), transaction.atomic():
        CustomUser.objects.filter(pk=user.pk).update(**wrong)
