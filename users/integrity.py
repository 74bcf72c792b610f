"""What must hold among users; ``manage.py check_integrity`` looks."""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from eventhub_config.shared.integrity import CHUNK, Check
from eventhub_config.shared.models import StoredImage
from users.models import (
    ROLE_GROUPS,
    AccountLink,
    CustomUser,
    PasswordResetRequest,
    PendingRegistration,
    UserProfile,
    UserSession,
    address_key,
    comparison_key,
    derive_flags,
)

UserType = CustomUser.UserType


def _users_with_flags() -> Iterator[CustomUser]:
    columns = ("username", "user_type", "organizer_status", "is_staff", "is_superuser")
    return CustomUser.objects.only(*columns).order_by("pk").iterator(chunk_size=CHUNK)


def _flags_beside_the_role() -> Iterator[tuple[str, str]]:
    for user in _users_with_flags():
        stored = (user.is_staff, user.is_superuser, user.organizer_status)
        derive_flags(user)
        if stored != (user.is_staff, user.is_superuser, user.organizer_status):
            yield f"user {user.pk}", f"is {user.user_type}, but has (staff, superuser, organizer status) {stored}"


def _groups_beside_the_role() -> Iterator[tuple[str, str]]:
    for user_type in UserType:
        name = ROLE_GROUPS.get(user_type)
        users = CustomUser.objects.filter(user_type=user_type).annotate(
            right=Count("groups", filter=Q(groups__name=name)), all_groups=Count("groups")
        )
        wrong = users.exclude(right=1 if name else 0, all_groups=1 if name else 0)
        for pk in wrong.order_by("pk").values_list("pk", flat=True):
            yield f"user {pk}", f"is {user_type} and should be in {name or 'no group'} only"


def _users_without_what_belongs_to_them() -> Iterator[tuple[str, str]]:
    for pk in CustomUser.objects.filter(profile=None).order_by("pk").values_list("pk", flat=True):
        yield f"user {pk}", "has no profile"
    organizers = CustomUser.objects.filter(user_type=UserType.ORGANIZER, organizer_profile=None)
    for pk in organizers.order_by("pk").values_list("pk", flat=True):
        yield f"user {pk}", "is an organizer without details to invoice with"


def _keys_that_are_not_normalised() -> Iterator[tuple[str, str]]:
    rows = CustomUser.objects.order_by("pk").values_list("pk", "username", "username_key", "email", "email_key")
    for pk, username, username_key, email, email_key in rows.iterator(chunk_size=CHUNK):
        if (username_key, email_key) != (comparison_key(username), address_key(email)):
            yield f"user {pk}", "has keys that do not follow from username and e-mail address"


def _sessions_ended_without_a_reason() -> Iterator[tuple[str, str]]:
    halves = UserSession.objects.filter(
        Q(revoked_at=None) & ~Q(revoke_reason="") | Q(revoked_at__isnull=False, revoke_reason="")
    )
    for pk in halves.order_by("pk").values_list("pk", flat=True):
        yield f"session {pk}", "has an end without a reason, or a reason without an end"


def _links_that_compete() -> Iterator[tuple[str, str]]:
    open_links = AccountLink.objects.filter(closed_at=None)
    several = open_links.values("user_id", "purpose").annotate(times=Count("id")).filter(times__gt=1)
    for found in several.order_by("user_id"):
        yield f"user {found['user_id']}", f"has {found['times']} open links to {found['purpose']}"
    for link in AccountLink.objects.filter(expires_at__lte=F("created_at")).order_by("pk"):
        yield f"link {link.pk}", "ended before it was made"


def _owed_mail_without_an_end() -> Iterator[tuple[str, str]]:
    for model in (AccountLink, PasswordResetRequest, PendingRegistration):
        for pk in model.objects.filter(parked_at__isnull=False).order_by("pk").values_list("pk", flat=True):
            yield f"{model._meta.verbose_name} {pk}", "was given up: nobody was written to"


def _avatars_that_are_none() -> Iterator[tuple[str, str]]:
    rows = UserProfile.objects.exclude(avatar=None).order_by("user_id")
    for user_id, purpose, discarded_at in rows.values_list(
        "user_id", "avatar__purpose", "avatar__discarded_at"
    ).iterator(chunk_size=CHUNK):
        if purpose != StoredImage.Purpose.AVATAR:
            yield f"user {user_id}", f"has an avatar that is a {purpose}"
        if discarded_at:
            yield f"user {user_id}", "has an avatar that is discarded"


CHECKS = [
    Check(
        "user_flags",
        "A user's flags follow from user_type.",
        _flags_beside_the_role,
        "Set the role once more in the back office: the flags follow.",
    ),
    Check(
        "user_groups",
        "A user is in the group of their role, and in no other.",
        _groups_beside_the_role,
        "Set the role once more in the back office: flags and groups follow.",
    ),
    Check(
        "user_belongings",
        "Every user has a profile, every organizer details.",
        _users_without_what_belongs_to_them,
        "Make the missing row: pages of that person fail without it.",
    ),
    Check(
        "user_keys",
        "Keys are the normalised username and e-mail address.",
        _keys_that_are_not_normalised,
        "Somebody else may have the same name. Decide who keeps it, then save the user in the back office.",
    ),
    Check(
        "user_sessions",
        "A session that ended says why.",
        _sessions_ended_without_a_reason,
        "End the session, with a reason.",
    ),
    Check(
        "user_links",
        "A user has one open link of each purpose at most.",
        _links_that_compete,
        "Close all but the newest.",
    ),
    Check(
        "user_mails",
        "Whoever is owed a mail about an account gets one.",
        _owed_mail_without_an_end,
        "See why the mail server refused it, then ask the person to try again.",
    ),
    Check(
        "avatars",
        "An avatar is a picture meant to be one, and not discarded.",
        _avatars_that_are_none,
        "Have the picture uploaded again.",
    ),
]
