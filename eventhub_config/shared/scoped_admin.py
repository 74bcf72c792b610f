"""The base of every admin page: who sees which rows, and changes that go through services only.

Nothing here rests on Django's stored permissions. Administrators see everything; organizers see the rows from which
``organizer_path`` leads to themselves, and no others: in lists, filters, drop-downs, autocomplete, actions and history.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from eventhub_config.shared.admin_forms import FormRefused, explain
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.transactions import unit_of_work

# An action works row by row, each in its own transaction, while the person waits.
ACTION_LIMIT = 200
# Sent by the buttons on a row's own page: that is where its answer leads back to.
FROM_ROW = "from_row"


def is_administrator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_platform_admin", False))


class Scope(BaseModelAdmin):
    """Which rows the signed-in person sees. Read only; subclasses grant what else there is."""

    # The way from a row to its organizer, such as "booking__event__organizer"; None: for administrators only.
    organizer_path: ClassVar[str | None] = None
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if is_administrator(request):
            return rows
        if self.organizer_path is None:
            return rows.none()
        return rows.filter(**{self.organizer_path: request.user.pk})

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        """Offer in a drop-down what the person sees on that model's own page, and nothing else."""
        related = db_field.remote_field.model
        if self.admin_site.is_registered(related):
            page = self.admin_site.get_model_admin(related)
            if page.has_view_permission(request):
                return page.get_queryset(request)
        return related._meta.default_manager.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        organizer = request.user.is_active and getattr(request.user, "runs_events", False)
        return is_administrator(request) or bool(self.organizer_path and organizer)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ScopedInline(Scope, InlineModelAdmin):
    """Rows that belong to the row of the page: a table, unless a subclass says how else."""

    template = admin.TabularInline.template

    extra = 0
    can_delete = False
    show_change_link = True


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Those concerned are told. May stay empty.",
    )


class BoundedActions(admin.ModelAdmin):
    """Actions on rows of the list, and not on all of them at once."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(self._may_be_a_key(pk) for pk in chosen):
            self.message_user(request, "Choose rows of this list.", messages.WARNING)
            return None
        many = request.POST.get("select_across") not in {None, "", "0"} and queryset[ACTION_LIMIT:].exists()
        if many or len(chosen) > ACTION_LIMIT:
            self.message_user(request, f"Choose {ACTION_LIMIT} rows at most. Nothing was changed.", messages.WARNING)
            return None
        return super().response_action(request, queryset)

    def _may_be_a_key(self, chosen: str) -> bool:
        if isinstance(self.opts.pk, models.CharField):
            return chosen.isprintable()
        return chosen.isdecimal() and len(chosen) < 19


class ScopedAdmin(Scope, BoundedActions):
    """The page of one model. What it changes, it changes through services."""

    change_form_template = "admin/scoped_change_form.html"
    object_history_template = "admin/status_history.html"
    view_on_site = False
    save_as = False
    show_full_result_count = False
    list_per_page = 50
    # Action -> its button on a row's own page.
    row_actions: ClassVar[Mapping[str, str]] = {}
    # Links on a row's own page: each returns label and address. Higher apps add theirs to the page of a lower one.
    row_links: ClassVar[list[Callable[[Any], tuple[str, str] | None]]] = []

    class Media:
        css = {"all": ("shared/admin/scoped.css",)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse what is not offered as a filter: asked often enough, a hidden column tells itself letter by letter."""
        filters = [item[0] if isinstance(item, tuple) else item for item in self.list_filter]
        offered = {getattr(item, "parameter_name", item) for item in filters}
        offered |= {self.date_hierarchy, self.opts.pk.name, "pk"}
        return lookup.split("__", maxsplit=1)[0] in offered and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # nothing from the query string

    # --- Saving and deleting: one unit of work, refusals shown where they belong ---

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = super().changeform_view
        if request.method != "POST":
            return view(request, object_id, form_url, extra_context)
        try:
            return unit_of_work(view)(request, object_id, form_url, extra_context)
        except FormRefused as error:
            refusal = error
        except DomainError as error:  # such as Busy, when everything is to be committed
            refusal = FormRefused(error)
        # Everything was rolled back. The same page again: its form is invalid now, and says why.
        cast(Any, request).refusal = refusal
        return view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return with_refusal(super().get_form(request, obj, change, **kwargs), request)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = super().delete_view
        if request.method != "POST":
            return view(request, object_id, extra_context)
        try:
            return unit_of_work(view)(request, object_id, extra_context)
        except DomainError as error:
            self.message_user(request, explain(error), messages.ERROR)
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[object_id]))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Name what is to be deleted; whether it may be is the service's to say."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    # --- Actions ---

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would go past the services
        return actions

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        response = super().response_action(request, queryset)
        if FROM_ROW in request.POST and chosen and isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[chosen[0]]))
        return response

    def do_each(
        self, request: HttpRequest, rows: QuerySet[Any], operation: Callable[[Any, datetime], object], done: str
    ) -> None:
        """Do something to each row by itself; say how many it was done to, and name each that was refused."""
        now = timezone.now()
        count = 0
        for row in rows.order_by("pk"):
            name = str(row)
            try:
                operation(row, now)
            except DomainError as error:
                self.message_user(request, f"{name}: {explain(error)}", messages.WARNING)
            else:
                count += 1
        if count:
            noun = self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural
            self.message_user(request, f"{count} {noun} {done}.", messages.SUCCESS)

    def ask(
        self, request: HttpRequest, rows: QuerySet[Any], *, action: str, question: str, form: forms.Form | None = None
    ) -> HttpResponseBase:
        """Return the page that asks before an action that cannot be undone; its answer calls the action again."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": question,
            "rows": [(row.pk, self.name_of(row)) for row in rows.order_by("pk")],
            "action": action,
            "form": form or forms.Form(),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "from_row": FROM_ROW if FROM_ROW in request.POST else "",
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def name_of(self, row: Any) -> str:
        """Return what the person who is asked before an action has to know of a row."""
        return str(row)

    def row_actions_of(self, row: Any) -> Mapping[str, str]:
        """Return which of ``row_actions`` make sense for a row as it is."""
        return self.row_actions

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if isinstance(row, Model):
            allowed = self.get_actions(request)
            offered = self.row_actions_of(row)
            context["row_actions"] = [(name, label) for name, label in offered.items() if name in allowed]
            context["row_links"] = [link for link in (make(row) for make in self.row_links) if link]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- History ---

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every move between states, by whomever, above what was edited here."""
        changes: list[StatusChange] = []
        if unquote(object_id).isdecimal() and len(object_id) < 19:
            moves = StatusChange.objects.filter(subject_type=self.opts.label_lower, subject_id=int(object_id))
            changes = list(moves.order_by("-pk")[:200])
        rows = list(zip(changes, self.names_in_history(request, changes), strict=True))
        return super().history_view(request, object_id, {**(extra_context or {}), "status_changes": rows})

    def names_in_history(self, request: HttpRequest, changes: list[StatusChange]) -> list[str]:
        """Return who made each change of a row, by name where it was a person."""
        return _names_of(changes)

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


def with_refusal(form: Any, request: HttpRequest) -> Any:
    """Return the form class, told what was refused in this request."""
    refusal = getattr(request, "refusal", None)
    return type(form.__name__, (form,), {"refusal": refusal}) if refusal else form


def _names_of(changes: list[StatusChange]) -> list[str]:
    """Return who made each change, by name where it was a person."""
    ids = [change.actor.removeprefix("user:") for change in changes if change.actor.startswith("user:")]
    people = {f"user:{user.pk}": user.get_username() for user in get_user_model().objects.filter(pk__in=ids)}
    return [people.get(change.actor, change.actor) for change in changes]
