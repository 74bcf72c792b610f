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

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import BoundedActions
from users import services
from users.authentication import signed_in
from users.models import CustomUser, OrganizerProfile, UserProfile, UserSession
from users.services.accounts import add_user, touch

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


class OrganizerProfileInline(AdministratorsOnly, admin.StackedInline):
    model = OrganizerProfile
    can_delete = False
    max_num = 1
    verbose_name_plural = "organizer's details"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(CustomUser)
class CustomUserAdmin(AdministratorsOnly, BoundedActions, UserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    list_display = ("id", "username", "email", "user_type", "organizer_status", "is_active", "date_joined")
    list_display_links = ("id", "username")
    list_filter = ("user_type", "organizer_status", "is_active")
    search_fields = ("username", "email", "first_name", "last_name")
    date_hierarchy = "date_joined"
    ordering = ("pk",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "email_verified_at")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "first_name", "last_name")}),
        ("Role", {"fields": DECIDED}),
        ("Dates", {"fields": ("last_login", "date_joined", "email_verified_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "user_type", "usable_password", "password1", "password2")}),
    )
    actions = ("approve_organizers", "deactivate", "activate")

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
        obj.save()  # without the columns of DECIDED, which are protected
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

    @admin.action(description="Deactivate selected accounts", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, is_active=False)

    @admin.action(description="Activate selected accounts", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[CustomUser]) -> None:
        self._decide(request, queryset, is_active=True)

    def _decide(self, request: HttpRequest, queryset: QuerySet[CustomUser], **decision: Any) -> None:
        now = timezone.now()
        for user in queryset.order_by("pk"):
            try:
                services.update_account(user_id=user.pk, actor=signed_in(request), now=now, **decision)
            except DomainError as error:
                self.message_user(request, f"{user}: {_reason(error)}", messages.WARNING)


def _reason(error: DomainError) -> str:
    return str(error.errors[0]["message"]) if error.errors else str(error)


@admin.register(UserSession)
class UserSessionAdmin(AdministratorsOnly, admin.ModelAdmin):
    list_display = ("id", "user", "created_at", "last_refreshed_at", "revoked_at", "revoke_reason")
    list_filter = ("revoke_reason",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fields = ("user", "user_agent", "created_at", "last_refreshed_at", "revoked_at", "revoke_reason")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
