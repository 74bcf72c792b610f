"""Accounts, what people tell about themselves, and their sign-ins."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, Group
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from eventhub_config.shared.models import ProtectedColumns, StoredImage
from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.validators import (
    validate_language,
    validate_short_texts,
    validate_single_line,
    validate_timezone,
    validate_web_address,
)

USERNAME_MAX_LENGTH = 150
EMAIL_MAX_LENGTH = 254
_USERNAME = re.compile(r"[\w.+-]+")


def comparison_key(text: str) -> str:
    """Return what two spellings of one name have in common: ``ﬁ`` and ``FI`` are the same.

    Source: Unicode 15, section 3.13, D146 (compatibility caseless match), which normalises again after folding.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold()).casefold()
    return unicodedata.normalize("NFKC", folded)


def validate_username(value: str) -> None:
    """Refuse what is not a name; above all ``@``, so that nobody is called by somebody else's e-mail address."""
    key = comparison_key(value)
    if not _USERNAME.fullmatch(value) or not _USERNAME.fullmatch(key):
        raise ValidationError("Use letters, digits and . + - _ only.", "invalid_username")
    if len(key) > USERNAME_MAX_LENGTH:
        raise ValidationError(f"Use {USERNAME_MAX_LENGTH} characters at most.", "max_length")


def address_key(email: str) -> str:
    """Return what two spellings of one e-mail address have in common: ``xn--bcher-kva.example`` is Bücher too."""
    local, at, domain = comparison_key(email).rpartition("@")
    return comparison_key(f"{local}{at}{'.'.join(map(_readable, domain.split('.')))}")


def _readable(label: str) -> str:
    """Return a part of a folded domain in its own letters. Source: RFC 3490, section 4.2 (ToUnicode)."""
    try:
        return label.encode("ascii").decode("idna") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def validate_email_key(value: str) -> None:
    # As it is compared, and as it is stored: capital letters may take more room when they are made small.
    if max(len(address_key(value)), len(DjangoUserManager.normalize_email(value))) > EMAIL_MAX_LENGTH:
        raise ValidationError(f"Use {EMAIL_MAX_LENGTH} characters at most.", "max_length")


validate_invoice_prefix = RegexValidator(r"^[A-Z0-9]([A-Z0-9-]*[A-Z0-9])?\Z", "Use A-Z, 0-9 and inner hyphens.")


def validate_preferences(value: Any) -> None:
    """Refuse what is not ``{"<notification type>": true or false}``."""
    if not isinstance(value, dict) or len(value) > 30:
        raise ValidationError("Send an object with at most 30 entries.", "invalid_preferences")
    for name, wanted in value.items():
        if not re.fullmatch(r"[a-z_]{1,40}", name) or not isinstance(wanted, bool):
            raise ValidationError("Send true or false for each type of notification.", "invalid_preferences")


class UserManager(DjangoUserManager["CustomUser"]):
    """Makes users whose flags follow from ``user_type``, whatever the caller says about the flags."""

    use_in_migrations = False

    def with_details(self) -> "models.QuerySet[CustomUser]":
        """Return users together with their profile and organizer's details, in one statement."""
        return self.select_related("profile", "organizer_profile")

    def with_pending_email(self, now: datetime) -> "models.QuerySet[CustomUser]":
        """Return the same, with the address that each has asked to change to as ``pending_email``."""
        change = AccountLink.objects.usable(now).filter(
            user=OuterRef("pk"), token_version=OuterRef("token_version"), purpose=AccountLink.Purpose.CHANGE_EMAIL
        )
        return self.with_details().annotate(pending_email=Subquery(change.values("email")[:1]))

    def with_email(self, email: str) -> "CustomUser | None":
        """Return the user with this address, however it is spelled."""
        return self.filter(email_key=address_key(email)).first()

    def insert_invited(self, emails: Iterable[str], now: datetime) -> "list[CustomUser]":
        """Insert attendees who have not chosen a name or a password yet, in the order of their addresses' keys.

        In two statements: there may be hundreds. One order for everybody, so that two at once do not wait for each
        other.
        """
        users = []
        for email in sorted(emails, key=address_key):
            username = f"guest-{opaque_key()[:12].lower()}"
            user = self.model(
                username=username,
                username_key=comparison_key(username),
                email=self.normalize_email(email),
                email_key=address_key(email),
                password=make_password(None),
                date_joined=now,
            )
            users.append(user)
        self.bulk_create(users)
        UserProfile.objects.bulk_create([UserProfile(user=user) for user in users])
        return users

    def public_organizers(self) -> "models.QuerySet[CustomUser]":
        """Return the organizers whom everybody may know about."""
        return self.filter(
            user_type=CustomUser.UserType.ORGANIZER,
            organizer_status=CustomUser.OrganizerStatus.APPROVED,
            is_active=True,
        )

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> "CustomUser":
        # Whoever may run this command vouches for the address, as administrators do for those whom they add.
        vouched = {"user_type": CustomUser.UserType.ADMIN, "email_verified_at": timezone.now()}
        return super().create_superuser(username, email, password, **extra | vouched)


class CustomUser(ProtectedColumns, AbstractUser):
    """An account. What it may do follows from ``user_type`` alone; see ``apply_role``."""

    class UserType(models.TextChoices):
        ATTENDEE = "attendee", "Attendee"
        ORGANIZER = "organizer", "Organizer"
        ADMIN = "admin", "Administrator"

    class OrganizerStatus(models.TextChoices):
        PENDING = "pending", "Awaiting approval"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    # Written by services only: an edit of the name must not undo a deactivation or revive old tokens.
    PROTECTED_COLUMNS = frozenset(
        {"user_type", "organizer_status", "is_active", "is_staff", "is_superuser", "token_version", "email_verified_at"}
    )

    username = models.CharField(
        max_length=USERNAME_MAX_LENGTH,
        unique=True,
        validators=[validate_username],
        help_text="Letters, digits and . + - _ only.",
        error_messages={"unique": "This username is taken."},
    )
    email = models.EmailField(
        "e-mail address",
        max_length=EMAIL_MAX_LENGTH,
        unique=True,
        validators=[validate_email_key],
        error_messages={"unique": "This e-mail address is taken."},
    )
    username_key = models.CharField(max_length=USERNAME_MAX_LENGTH, unique=True, editable=False)
    email_key = models.CharField(max_length=EMAIL_MAX_LENGTH, unique=True, editable=False)
    first_name = models.CharField(max_length=150, blank=True, validators=[validate_single_line])
    last_name = models.CharField(max_length=150, blank=True, validators=[validate_single_line])
    user_type = models.CharField(max_length=16, choices=UserType.choices, default=UserType.ATTENDEE)
    organizer_status = models.CharField(max_length=16, choices=OrganizerStatus.choices, blank=True, default="")
    # Every token carries the version it was made under; raising it ends them all.
    token_version = models.PositiveIntegerField(default=1, editable=False)
    email_verified_at = models.DateTimeField(null=True, blank=True, editable=False)

    _password: str | None  # Django's note that a new password was set on this instance

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = "user"
        constraints = [
            models.CheckConstraint(
                name="users_flags_follow_user_type",
                condition=Q(user_type="attendee", is_staff=False, is_superuser=False)
                | Q(user_type="organizer", is_staff=True, is_superuser=False)
                | Q(user_type="admin", is_staff=True, is_superuser=True),
            ),
            models.CheckConstraint(
                name="users_organizer_status_of_organizers",
                condition=Q(user_type="organizer", organizer_status__in=["pending", "approved", "rejected"])
                | ~Q(user_type="organizer") & Q(organizer_status=""),
            ),
            models.CheckConstraint(name="users_username_without_at", condition=~Q(username_key__contains="@")),
        ]
        indexes = [models.Index(fields=["user_type", "id"], name="users_by_type")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.username}"

    @property
    def is_platform_admin(self) -> bool:
        return self.user_type == self.UserType.ADMIN

    @property
    def runs_events(self) -> bool:
        """Whether this person works on events of their own; a pending organizer may draft."""
        return self.user_type != self.UserType.ATTENDEE

    @property
    def may_publish(self) -> bool:
        return self.is_platform_admin or self.organizer_status == self.OrganizerStatus.APPROVED

    @property
    def display_name(self) -> str:
        """What others may read: never the e-mail address."""
        return self.get_full_name() or self.username

    def check_password(self, raw_password: str | None) -> bool:
        """Compare with the password, and renew an outdated hash unless the password was replaced meanwhile."""
        checked = self.password

        def renew(raw: str) -> None:
            renewed = make_password(raw)
            if CustomUser.objects.filter(pk=self.pk, password=checked).update(password=renewed):
                self.password = renewed

        return check_password(raw_password, checked, renew)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password = ""  # like a new password, for `save()`

    def clean(self) -> None:
        """Refuse, for forms, another spelling of a name or address that is taken; the database refuses it anyway."""
        super().clean()
        derive_flags(self)
        others = CustomUser.objects.exclude(pk=self.pk)
        if others.filter(username_key=comparison_key(self.username)).exists():
            raise ValidationError({"username": "This username is taken."})
        if others.filter(email_key=address_key(self.email)).exists():
            raise ValidationError({"email": "This e-mail address is taken."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_key, self.email_key = comparison_key(self.username), address_key(self.email)
        if self._state.adding:
            self._insert(*args, **kwargs)
            return
        named = kwargs.get("update_fields")
        columns = set(self.unprotected_columns() if named is None else named)
        columns |= {key for name, key in (("username", "username_key"), ("email", "email_key")) if name in columns}
        # Whoever sets a new password (`manage.py changepassword` too) ends every older token. Django empties
        # `_password` before it saves a mere upgrade of the hash.
        if self._password is not None and "password" in columns:
            self.token_version += 1
            columns.add("token_version")
        super().save(*args, **kwargs | {"update_fields": columns})

    def _insert(self, *args: Any, **kwargs: Any) -> None:
        """Insert the user with all that belongs to one."""
        derive_flags(self)
        with transaction.atomic():
            super().save(*args, **kwargs)
            UserProfile.objects.create(user=self)
            if self.runs_events:
                give_belongings_of_role(self)


class UserProfile(ProtectedColumns):
    """What a person tells about themself."""

    # Written by its service only: a form that was read before must not bring back a picture that was discarded.
    PROTECTED_COLUMNS = frozenset({"avatar"})

    user = models.OneToOneField(CustomUser, on_delete=models.CASCADE, related_name="profile")
    phone = models.CharField(max_length=32, blank=True, validators=[validate_single_line])
    bio = models.TextField(max_length=2000, blank=True)
    organization = models.CharField(max_length=200, blank=True, validators=[validate_single_line])
    website = models.URLField(max_length=500, blank=True, validators=[validate_web_address])
    avatar = models.ForeignKey(
        StoredImage, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    language = models.CharField(max_length=35, default="en", validators=[validate_language])
    interests = models.JSONField(default=list, blank=True, validators=[validate_short_texts])
    notification_preferences = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_preferences],
        help_text="By type of notification, whether it is also sent by e-mail; what is not named is sent.",
    )
    # Rises with every edit of the user, their profile or their organizer's details: the ETag of `users/me/`.
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.pk}: profile of user {self.user_id}"


class OrganizerProfile(models.Model):
    """Who sells: what stands on an organizer's invoices."""

    user = models.OneToOneField(CustomUser, on_delete=models.CASCADE, related_name="organizer_profile")
    legal_name = models.CharField(max_length=200, blank=True, validators=[validate_single_line])
    legal_address = models.TextField(max_length=500, blank=True)
    tax_id = models.CharField(max_length=40, blank=True, validators=[validate_single_line])
    invoice_prefix = models.CharField(
        max_length=12,
        unique=True,
        validators=[validate_invoice_prefix],
        help_text="What the numbers of this organizer's invoices begin with.",
    )

    def __str__(self) -> str:
        return f"{self.pk}: organizer details of user {self.user_id}"


class UserSession(models.Model):
    """One sign-in and the tokens that came from it; the rules are in ``users/services/tokens.py``."""

    class RevokeReason(models.TextChoices):
        SIGNED_OUT = "signed_out", "Signed out"
        TOKEN_REUSED = "token_reused", "An old refresh token was used again"
        PASSWORD_CHANGED = "password_changed", "Password changed"
        DEACTIVATED = "deactivated", "Account deactivated"
        ROLE_CHANGED = "role_changed", "Role changed"

    user = models.ForeignKey(CustomUser, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField()
    # When the living pair of tokens was made: it can be made again, to the letter, from this and `current_jti`.
    last_refreshed_at = models.DateTimeField()
    current_jti = models.CharField(max_length=32)
    previous_jti = models.CharField(max_length=32, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoke_reason = models.CharField(max_length=24, choices=RevokeReason.choices, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    # Recognises the network address of the sign-in without telling it; see ``users/services/signing_in.py``.
    address_mark = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = "session"

    def __str__(self) -> str:
        return f"{self.pk}: session of user {self.user_id}"


# --- Links by mail: none of these rows holds what makes a link work, see ``users/services/links.py`` ------------------


class AccountLinkQuerySet(models.QuerySet["AccountLink"]):
    def usable(self, now: datetime) -> "AccountLinkQuerySet":
        """Return the links that are open. Whether their user's tokens were ended since is for the caller to compare."""
        return self.filter(closed_at=None, expires_at__gt=now)


class AccountLink(OwedWork):
    """One link mailed to one address about one account; at most one of each purpose is open at a time.

    The work owed, for a change of address only, is to find out whether the address is free and write to it.
    """

    class Purpose(models.TextChoices):
        VERIFY_EMAIL = "verify_email", "Confirm the e-mail address"
        RESET_PASSWORD = "reset_password", "Set a new password"
        CHANGE_EMAIL = "change_email", "Change the e-mail address"
        INVITATION = "invitation", "Set a first password"

    class CloseReason(models.TextChoices):
        USED = "used", "Used"
        REPLACED = "replaced", "Replaced by a newer one"
        CANCELLED = "cancelled", "Cancelled"

    user = models.ForeignKey(CustomUser, on_delete=models.CASCADE, related_name="account_links")
    purpose = models.CharField(max_length=16, choices=Purpose)
    email = models.EmailField("e-mail address", max_length=EMAIL_MAX_LENGTH)
    # The user's when the link was made: whatever ends tokens ends links with them.
    token_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=12, choices=CloseReason, blank=True)

    objects = AccountLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "link by mail"
        verbose_name_plural = "links by mail"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "purpose"], condition=Q(closed_at=None), name="users_one_open_link_per_purpose"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, close_reason="") | Q(closed_at__isnull=False) & ~Q(close_reason=""),
                name="users_closed_link_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="users_links_due",
            ),
            models.Index(fields=["expires_at"], name="users_links_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.purpose} of user {self.user_id}"

    def is_usable_by(self, user: CustomUser, now: datetime) -> bool:
        """Return whether the link still works for its user, as both were read."""
        return (
            self.closed_at is None
            and now < self.expires_at
            and user.is_active
            and user.token_version == self.token_version
            # A link to an address that the account has left behind proves nothing any more.
            and (self.purpose == self.Purpose.CHANGE_EMAIL or address_key(self.email) == user.email_key)
        )

    def close(self, reason: CloseReason, now: datetime) -> None:
        self.closed_at, self.close_reason = now, reason
        self.work_is_done()
        self.save(update_fields=["closed_at", "close_reason", *self.WORK_COLUMNS])


class PasswordResetRequest(OwedWork):
    """Somebody typed a name or an address to reset its password. A worker finds out whose, and deletes the row."""

    login = models.CharField(max_length=EMAIL_MAX_LENGTH, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="users_resets_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}: password reset requested at {self.created_at:%Y-%m-%d %H:%M}"


class PendingRegistration(OwedWork):
    """An account that waits for its address to be confirmed. There may be several for one address; the first one wins.

    The work owed is to find out whether the address has an account already, and write to it.
    """

    username = models.CharField(max_length=USERNAME_MAX_LENGTH)
    email = models.EmailField("e-mail address", max_length=EMAIL_MAX_LENGTH)
    email_key = models.CharField(max_length=EMAIL_MAX_LENGTH, editable=False, db_index=True)
    password = models.CharField(max_length=128, editable=False, help_text="Hashed.")
    user_type = models.CharField(max_length=16, choices=CustomUser.UserType)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="users_registrations_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}: registration of {self.created_at:%Y-%m-%d %H:%M}"


# --- Roles: the one place where flags, groups and what else belongs to a role are derived from user_type --------------

ROLE_GROUPS = {CustomUser.UserType.ORGANIZER: "organizers", CustomUser.UserType.ADMIN: "administrators"}


def apply_role(user: CustomUser) -> None:
    """Save a user's role with everything that follows from it."""
    derive_flags(user)
    user.save(update_fields=["user_type", "organizer_status", "is_staff", "is_superuser"])
    give_belongings_of_role(user)


def derive_flags(user: CustomUser) -> None:
    """Set the flags that follow from ``user_type``; organizers sign in to the admin too."""
    user.is_staff = user.runs_events
    user.is_superuser = user.is_platform_admin
    if user.user_type != CustomUser.UserType.ORGANIZER:
        user.organizer_status = ""
    elif not user.organizer_status:
        status = CustomUser.OrganizerStatus
        user.organizer_status = status.PENDING if settings.ORGANIZER_APPROVAL else status.APPROVED


def give_belongings_of_role(user: CustomUser) -> None:
    """Put a saved user into the groups of their role, and give an organizer the details they invoice with."""
    name = ROLE_GROUPS.get(CustomUser.UserType(user.user_type))
    user.groups.set([Group.objects.get_or_create(name=name)[0]] if name else [])
    if user.user_type == CustomUser.UserType.ORGANIZER:
        OrganizerProfile.objects.get_or_create(user=user, defaults={"invoice_prefix": f"EH{user.pk}"})
