"""Accounts in the admin, for administrators only. Roles and activity change through the services."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet, URLField
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.images.admin import preview
from eventhub_config.shared.scoped_admin import BoundedActions
from users import services
from users.authentication import signed_in
from users.models import (
    AccountLink,
    CustomUser,
    OrganizerProfile,
    PasswordResetRequest,
    PendingRegistration,
    UserProfile,
    UserSession,
)
from users.services.accounts import add_user, edit_user, touch
from users.services.passwords import password_was_set

DECIDED = ("user_type", "organizer_status", "is_active")

# Who is in a group follows from the role.
admin.site.unregister(Group)


class AdministratorsOnly:
    """Organizers sign in to the admin too; of users they see nothing."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _is_administrator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_platform_admin", False))


class AccountForm(UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = CustomUser


class NewAccountForm(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = CustomUser
        fields = ("username", "email", "user_type")


class ProfileInline(AdministratorsOnly, admin.StackedInline):
    model = UserProfile
    can_delete = False
    max_num = 1
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    readonly_fields = ("picture",)

    @admin.display(description="avatar", empty_value="none")
    def picture(self, profile: UserProfile) -> str | None:
        return preview(profile.avatar)


class OrganizerProfileInline(AdministratorsOnly, admin.StackedInline):
    model = OrganizerProfile
    can_delete = False
    max_num = 1
    verbose_name_plural = "organizer's details"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class VerifiedFilter(admin.SimpleListFilter):
    title = "verified"
    parameter_name = "verified"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> QuerySet[CustomUser]:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(email_verified_at__isnull=self.value() == "no")


@admin.register(CustomUser)
class CustomUserAdmin(AdministratorsOnly, BoundedActions, UserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    list_display = (
        "id", "username", "email", "is_verified", "user_type", "organizer_status", "is_active", "date_joined",
    )  # fmt: skip
    list_display_links = ("id", "username")
    list_filter = ("user_type", "organizer_status", "is_active", VerifiedFilter)
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = "By user name, e-mail address, or name."
    date_hierarchy = "date_joined"
    ordering = ("pk",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "email_verified_at", "pending_email")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "pending_email", "first_name", "last_name")}),
        ("Role", {"fields": DECIDED}),
        ("Dates", {"fields": ("last_login", "date_joined", "email_verified_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "user_type", "usable_password", "password1", "password2")}),
    )
    actions = (
        "approve_organizers",
        "reject_organizers",
        "send_verification",
        "deactivate",
        "activate",
        "remove_avatars",
    )

    @admin.display(description="verified", boolean=True, ordering="email_verified_at")
    def is_verified(self, user: CustomUser) -> bool:
        return user.email_verified_at is not None

    @admin.display(description="waits to be changed to")
    def pending_email(self, user: CustomUser) -> str:
        found: Any = CustomUser.objects.with_pending_email(timezone.now()).get(pk=user.pk)
        return found.pending_email or "-"

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002
        """Set a password as Django does, with all that follows from one."""
        with transaction.atomic():
            hashes = CustomUser.objects.filter(pk=id if id.isdecimal() else 0).values_list("password", flat=True)
            before = list(hashes)
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and before != list(hashes.all()):
                password_was_set(user_id=int(id), actor=signed_in(request), now=timezone.now())
        return answer

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list[Any]:
        if not isinstance(obj, CustomUser):
            return []
        is_organizer = obj.user_type == CustomUser.UserType.ORGANIZER
        return [ProfileInline, OrganizerProfileInline] if is_organizer else [ProfileInline]

    def save_model(self, request: HttpRequest, obj: CustomUser, form: ModelForm, change: bool) -> None:
        now = timezone.now()
        if not change:
            add_user(user=obj, actor=signed_in(request), now=now)
            return
        edit_user(user=obj, columns=form.changed_data, actor=signed_in(request), now=now)
        decisions = {name: form.cleaned_data[name] for name in DECIDED if name in form.changed_data}
        if not decisions.get("organizer_status", True):
            del decisions["organizer_status"]
        if decisions:
            try:
                with transaction.atomic():
                    services.update_account(user_id=obj.pk, actor=signed_in(request), now=now, **decisions)
            except DomainError as error:
                self.message_user(request, f"{obj}: {error}", messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touch(form.instance)

    @admin.action(description="Approve selected organizers", permissions=["change"])
    def approve_organizers(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, organizer_status=CustomUser.OrganizerStatus.APPROVED)

    @admin.action(description="Reject selected organizers", permissions=["change"])
    def reject_organizers(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, organizer_status=CustomUser.OrganizerStatus.REJECTED)

    @admin.action(description="Send selected people the link to confirm their address again", permissions=["change"])
    def send_verification(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        now, sent = timezone.now(), 0
        for user in queryset.order_by("pk"):
            try:
                services.resend_verification(user_id=user.pk, now=now)
            except DomainError as error:
                self.message_user(request, f"{user}: {_reason(error)}", messages.WARNING)
            except Throttled:
                self.message_user(request, f"{user}: was sent several links within the hour.", messages.WARNING)
            else:
                sent += 1
        if sent:
            self.message_user(request, f"Links on their way: {sent}.", messages.SUCCESS)

    @admin.action(description="Deactivate selected accounts", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, is_active=False)

    @admin.action(description="Activate selected accounts", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, is_active=True)

    @admin.action(description="Remove the avatars of selected accounts", permissions=["change"])
    def remove_avatars(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        now = timezone.now()
        for user in queryset.order_by("pk"):
            services.remove_avatar(user_id=user.pk, actor=signed_in(request), now=now)

    def _decide(self, request: HttpRequest, queryset: QuerySet[CustomUser], **decision: Any) -> None:
        now = timezone.now()
        for user in queryset.order_by("pk"):
            try:
                services.update_account(user_id=user.pk, actor=signed_in(request), now=now, **decision)
            except DomainError as error:
                self.message_user(request, f"{user}: {_reason(error)}", messages.WARNING)


def _reason(error: DomainError) -> str:
    return str(error.errors[0]["message"]) if error.errors else str(error)


class ReadOnly(AdministratorsOnly, admin.ModelAdmin):
    """Rows that services make and end."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(UserSession)
class UserSessionAdmin(ReadOnly):
    list_display = ("id", "user", "created_at", "last_refreshed_at", "revoked_at", "revoke_reason")
    list_filter = ("revoke_reason",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fields = ("user", "user_agent", "created_at", "last_refreshed_at", "revoked_at", "revoke_reason")
    readonly_fields = fields


# The links themselves cannot be shown: they stand nowhere but in the mails.


@admin.register(AccountLink)
class AccountLinkAdmin(ReadOnly):
    list_display = ("id", "user", "purpose", "email", "created_at", "expires_at", "closed_at", "close_reason")
    list_filter = ("purpose", "close_reason", ("parked_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("=email", "=user__username", "=user__email")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fields = (
        "user", "purpose", "email", "created_at", "expires_at", "closed_at", "close_reason",
        "attempts", "next_attempt_at", "parked_at", "last_error",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(PendingRegistration)
class PendingRegistrationAdmin(ReadOnly):
    list_display = ("id", "username", "email", "user_type", "created_at", "expires_at", "parked_at")
    list_filter = ("user_type", ("parked_at", admin.EmptyFieldListFilter))
    search_fields = ("=username", "=email")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fields = (
        "username", "email", "user_type", "first_name", "last_name", "created_at", "expires_at",
        "attempts", "next_attempt_at", "parked_at", "last_error",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(PasswordResetRequest)
class PasswordResetRequestAdmin(ReadOnly):
    """Without what somebody typed: it can be anything, a password by mistake."""

    list_display = ("id", "created_at", "attempts", "next_attempt_at", "parked_at", "last_error")
    list_filter = (("parked_at", admin.EmptyFieldListFilter),)
    search_fields = ("=id",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fields = ("created_at", "attempts", "next_attempt_at", "parked_at", "last_error")
    readonly_fields = fields
