"""Accounts to try Event Hub with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from eventhub_config.shared.actors import System
from users.demo_art import draw
from users.models import CustomUser
from users.services import register_user, set_avatar, set_organizer_status, update_own_account
from users.services.accounts import add_user

UserType = CustomUser.UserType
PASSWORD = "try-event-hub-out"  # noqa: S105 (everybody is meant to know it)
ACTOR = System("load_demo")
AVATAR_SIZE = (256, 256)


@dataclass(frozen=True)
class SignIn:
    user_type: str
    username: str
    first_name: str
    last_name: str
    organization: str = ""
    bio: str = ""
    timezone: str = "Europe/Berlin"
    interests: tuple[str, ...] = ()
    verified: bool = True
    organizer_status: str = CustomUser.OrganizerStatus.APPROVED  # of organizers
    password: str = PASSWORD

    @property
    def email(self) -> str:
        return f"{self.username}@demo.example"


SIGN_INS = (
    SignIn(UserType.ADMIN, "admin", "Alex", "Admin"),
    SignIn(
        UserType.ORGANIZER, "olga", "Olga", "Brandt", organization="Brandt Academy",
        bio="Workshops and master classes for people who build software.",
    ),
    SignIn(
        UserType.ORGANIZER, "oscar", "Oscar", "Lindqvist", organization="Nordic Meetups",
        bio="Evenings for engineers, all around the Baltic Sea.", timezone="Europe/Stockholm",
    ),
    SignIn(UserType.ATTENDEE, "ada", "Ada", "Novak", interests=("python", "databases")),
    SignIn(UserType.ATTENDEE, "ben", "Ben", "Okafor", interests=("design",), timezone="Africa/Lagos"),
    SignIn(UserType.ATTENDEE, "chloe", "Chloé", "Martin", interests=("music", "python"), timezone="Europe/Paris"),
    SignIn(UserType.ATTENDEE, "dai", "Dai", "Nakamura", timezone="Asia/Tokyo"),
    # Somebody whose address waits to be confirmed, and somebody who waits to be approved.
    SignIn(UserType.ATTENDEE, "eve", "Eve", "Unverified", verified=False),
    SignIn(
        UserType.ORGANIZER, "petra", "Petra", "Pending", organization="Petra's Pop-ups",
        bio="Small courses, if they let me.", organizer_status=CustomUser.OrganizerStatus.PENDING,
    ),
)  # fmt: skip


def load(*, now: datetime) -> None:
    """Make the accounts of ``SIGN_INS`` that are missing; those that exist stay as they are."""
    there = set(
        CustomUser.objects.values_list("username", flat=True).filter(username__in=[s.username for s in SIGN_INS])
    )
    for sign_in in SIGN_INS:
        if sign_in.username not in there:
            _make(sign_in, now)


def _make(sign_in: SignIn, now: datetime) -> None:
    about: dict[str, Any] = {
        "username": sign_in.username,
        "email": sign_in.email,
        "first_name": sign_in.first_name,
        "last_name": sign_in.last_name,
        "user_type": sign_in.user_type,
    }
    if sign_in.user_type == UserType.ADMIN:
        user = add_user(user=CustomUser(**about, password=make_password(PASSWORD)), actor=ACTOR, now=now)
    else:
        user = register_user(**about, password=PASSWORD, actor=ACTOR, verified=sign_in.verified, now=now)
    if sign_in.user_type == UserType.ORGANIZER:
        set_organizer_status(user_id=user.pk, organizer_status=sign_in.organizer_status, actor=ACTOR, now=now)
    profile = {name: getattr(sign_in, name) for name in ("organization", "bio", "timezone")}
    changes: dict[str, object] = {"profile": profile | {"interests": list(sign_in.interests)}}
    if sign_in.organization:
        changes |= {
            "legal_name": f"{sign_in.organization} GmbH",
            "legal_address": "Musterstraße 1\n10115 Berlin\nGermany",
            "tax_id": f"DE{user.pk:09d}",
        }
    update_own_account(user_id=user.pk, changes=changes, actor=ACTOR, now=now)
    if sign_in.user_type == UserType.ORGANIZER:
        portrait = draw(sign_in.username, AVATAR_SIZE)
        set_avatar(user_id=user.pk, content=portrait, of_ours=True, actor=ACTOR, now=now)
