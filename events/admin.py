"""Events and their ticket types in the admin: organizers work on their own, administrators on all."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from eventhub_config.shared import money
from eventhub_config.shared.admin_forms import FormRefused, refusals_of
from eventhub_config.shared.conditional import ExpectedVersion
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import (
    ReasonForm,
    Scope,
    ScopedAdmin,
    ScopedInline,
    is_administrator,
    with_refusal,
)
from events import services
from events.forms import EventForm, TicketTypeForm, TicketTypeFormSet
from events.models import Event, TicketType
from events.serializers import default_attendance_rule
from users.authentication import signed_in
from users.models import UserProfile


class EventListFilter(admin.SimpleListFilter):
    """Offers the events that the signed-in person runs, latest first."""

    title = "event"
    parameter_name = "event"
    path = "event"  # from the listed row
    OFFERED = 50

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.admin_site.get_model_admin(Event).get_queryset(request).order_by("-starts_at", "-pk")
        return [(str(pk), f"{pk}: {title}") for pk, title in rows.values_list("pk", "title")[: self.OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if not value.isdecimal() or len(value) > 18:
            raise IncorrectLookupParameters
        return queryset.filter(**{self.path: int(value)})


class EditableEvents(Scope):
    """Permissions of pages about an event's own rows: what is over is looked at only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def _may_edit(self, request: HttpRequest, obj: Event | TicketType | None) -> bool:
        event = obj.event if isinstance(obj, TicketType) else obj
        over = event is not None and event.status in {Event.Status.COMPLETED, Event.Status.CANCELLED}
        return not over and self.has_view_permission(request)


class TicketTypeInline(EditableEvents, ScopedInline):
    template = admin.StackedInline.template
    model = TicketType
    form = TicketTypeForm
    formset = TicketTypeFormSet
    organizer_path = "event__organizer"
    can_delete = True
    max_num = 50
    ordering = ("position", "pk")
    fields = (
        ("name", "price"),
        ("quantity", "taken"),
        ("sales_start_at", "sales_end_at"),
        ("min_per_booking", "max_per_booking"),
        ("is_visible", "position"),
    )
    readonly_fields = ("taken",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketType]:
        return super().get_queryset(request).select_related("event")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)

        class RowForm(with_refusal(formset.form, request)):  # type: ignore[misc]
            def hand_clean_DELETE(self) -> None:  # noqa: N802  # Django's name
                """Leave it to the service whether a row may be deleted: Django would list everybody who booked it."""

        formset.form = RowForm
        return formset

    @admin.display(description="taken", empty_value="-")
    def taken(self, kind: TicketType) -> int:
        return kind.seats_taken


@admin.register(Event)
class EventAdmin(EditableEvents, ScopedAdmin):
    form = EventForm
    organizer_path = "organizer"
    inlines = (TicketTypeInline,)
    list_display = ("title", "status", "category", "local_start", "start_in_utc", "seats", "organizer_name")
    list_filter = ("status", "category", "format")
    list_select_related = ("organizer",)
    date_hierarchy = "starts_at"
    ordering = ("-starts_at", "-pk")
    search_fields = ("title", "city", "=slug", "=organizer__username", "=organizer__email")
    search_help_text = "By title, city, slug, or the organizer's user name or e-mail address."
    autocomplete_fields = ("organizer",)
    actions = ("publish_selected", "withdraw_selected", "cancel_selected", "delete_drafts")
    row_actions = {
        "publish_selected": "Publish",
        "withdraw_selected": "Back to draft",
        "cancel_selected": "Cancel event",
    }
    state = (
        ("status", "seats", "version"),
        ("local_start", "start_in_utc"),
        ("published_at", "slug"),
        ("created_at", "updated_at"),
        ("average_rating", "review_count"),
        "cancellation_reason",
    )
    about = ("title", "summary", "description", "category", "skills", "hours", "language")
    times = ("timezone", "starts_at", "ends_at", "registration_deadline")
    place = ("format", "venue_name", "address", "city", "country", ("latitude", "longitude"), "online_url")
    terms = (
        "capacity", "currency", "tax_rate", "refund_policy", "refund_percent", "refund_until", "attendance_rule",
    )  # fmt: skip

    # --- Lists ---

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if is_administrator(request) else self.list_display[:-1]

    @admin.display(description="local start", ordering="starts_at")
    def local_start(self, event: Event) -> str:
        return f"{_clock(event.starts_at, event.timezone, '%a %Y-%m-%d %H:%M')} {event.timezone}"

    @admin.display(description="start (UTC)", ordering="starts_at")
    def start_in_utc(self, event: Event) -> str:
        return _clock(event.starts_at, "UTC")

    @admin.display(description="seats taken", ordering="seats_taken")
    def seats(self, event: Event) -> str:
        return f"{event.seats_taken} of {'unlimited' if event.capacity is None else event.capacity}"

    @admin.display(description="organizer", ordering="organizer__username")
    def organizer_name(self, event: Event) -> str:
        return event.organizer.display_name

    # --- The page of one event ---

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        about = ("organizer", *self.about) if is_administrator(request) else self.about
        sections: list[tuple[str | None, dict[str, Any]]] = [
            (None, {"fields": about}),
            ("When", {"fields": self.times}),
            ("Where", {"fields": self.place}),
            ("Seats, money and attendance", {"fields": self.terms}),
        ]
        return sections if obj is None else [("State", {"fields": self.state}), *sections]

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        state = [name for name in flatten(self.state) if name != "version"]
        return () if obj is None else ("organizer", *state)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "version":
            kwargs["widget"] = forms.HiddenInput()  # which edit of the event this page shows
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        profile = UserProfile.objects.filter(user=signed_in(request)).first()
        return {"timezone": profile.timezone if profile else "UTC"}

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:
        actor, now = signed_in(request), timezone.now()
        with refusals_of(form):
            if change:
                self._update(obj, form, actor, now)
                return
            values = dict(form.cleaned_data)
            organizer = values.pop("organizer", actor)
            values["attendance_rule"] = values["attendance_rule"] or default_attendance_rule(values["format"])
            event = services.create_event(organizer=organizer, values=values, ticket_types=[], actor=actor, now=now)
        obj.pk = event.pk
        obj.refresh_from_db()

    def _update(self, obj: Event, form: Any, actor: Any, now: datetime) -> None:
        # A form sends every field: on top of somebody else's edit it would undo that. Sales do not change the version.
        changes = form.changes()
        changes.pop("version", None)
        expected = ExpectedVersion(frozenset({str(form.cleaned_data["version"])}))
        if changes:
            services.update_event(event_id=obj.pk, changes=changes, expected=expected, actor=actor, now=now)
        else:
            expected.check(services.lock_event(obj.pk).version)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        actor, now = signed_in(request), timezone.now()
        for row in formset.forms:
            kind = row.instance
            if formset.can_delete and formset._should_delete_form(row):  # noqa: SLF001  # as Django's own save does
                if kind.pk:
                    formset.deleted_objects.append(kind)
                    self._delete_type(kind, actor, now)
            elif kind.pk and row.has_changed():
                with refusals_of(row):
                    services.update_ticket_type(ticket_type_id=kind.pk, changes=row.changes(), actor=actor, now=now)
                formset.changed_objects.append((kind, row.changed_data))
            elif row.has_changed():
                with refusals_of(row):
                    event_id = form.instance.pk
                    kind = services.create_ticket_type(event_id=event_id, values=row.values(), actor=actor, now=now)
                formset.new_objects.append(kind)

    def _delete_type(self, kind: TicketType, actor: Any, now: datetime) -> None:
        name = kind.name
        try:
            services.delete_ticket_type(ticket_type_id=kind.pk, actor=actor, now=now)
        except DomainError as error:  # shown above the page: Django does not validate rows that are to be deleted
            raise FormRefused(DomainError(f"{name}: {error}")) from error

    # --- Deleting ---

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        was_public = obj is not None and bool(obj.status != Event.Status.DRAFT or obj.first_published_at)
        return not was_public and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Event) -> None:
        services.delete_draft(event_id=obj.pk, actor=signed_in(request), now=timezone.now())

    # --- Actions ---

    def row_actions_of(self, row: Event) -> dict[str, str]:
        status = Event.Status
        leads_to = {
            "publish_selected": status.PUBLISHED,
            "withdraw_selected": status.DRAFT,
            "cancel_selected": status.CANCELLED,
        }
        return {name: label for name, label in self.row_actions.items() if row.may_move_to(leads_to[name])}

    @admin.action(description="Publish selected events", permissions=["change"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        def publish(event: Event, now: datetime) -> None:
            services.publish_event(event_id=event.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, publish, "published")

    @admin.action(description="Take selected events back to draft", permissions=["change"])
    def withdraw_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        def withdraw(event: Event, now: datetime) -> None:
            services.withdraw_event(event_id=event.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, withdraw, "taken back to draft")

    @admin.action(description="Cancel selected events", permissions=["change"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponseBase | None:
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            question = "Cancel these events? All their bookings are cancelled, and what was paid goes back in full."
            return self.ask(request, queryset, action="cancel_selected", question=question, form=form)

        def cancel(event: Event, now: datetime) -> None:
            reason = form.cleaned_data["reason"]
            services.cancel_event(event_id=event.pk, reason=reason, actor=signed_in(request), now=now)

        self.do_each(request, queryset, cancel, "cancelled")
        return None

    @admin.action(description="Delete selected drafts", permissions=["delete"])
    def delete_drafts(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponseBase | None:
        if "confirmed" not in request.POST:
            question = "Delete these drafts? Only those that were never published can be."
            return self.ask(request, queryset, action="delete_drafts", question=question)

        def delete(event: Event, now: datetime) -> None:
            services.delete_draft(event_id=event.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, delete, "deleted")
        return None


def _clock(moment: datetime | None, zone: str, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return what clocks show; a page whose times could not be read has none."""
    return moment.astimezone(ZoneInfo(zone)).strftime(form) if moment else "-"


@admin.register(TicketType)
class TicketTypeAdmin(EditableEvents, ScopedAdmin):
    form = TicketTypeForm
    organizer_path = "event__organizer"
    list_display = ("name", "event", "price_text", "taken", "is_visible")
    list_filter = (EventListFilter, "is_visible")
    list_select_related = ("event",)
    ordering = ("-event_id", "position", "pk")
    search_fields = ("name", "event__title")
    autocomplete_fields = ("event",)
    fieldsets = (
        (None, {"fields": ("event", "name", "description", "price", "quantity", "taken")}),
        (
            "Sales",
            {
                "fields": (
                    "sales_start_at",
                    "sales_end_at",
                    "min_per_booking",
                    "max_per_booking",
                    "is_visible",
                    "position",
                ),
                "description": "Times are as the clocks show them in the event's time zone.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketType]:
        return super().get_queryset(request).select_related("event")

    def get_readonly_fields(self, request: HttpRequest, obj: TicketType | None = None) -> tuple[str, ...]:
        return ("taken",) if obj is None else ("event", "taken")

    @admin.display(description="price", ordering="price")
    def price_text(self, kind: TicketType) -> str:
        return f"{money.as_text(kind.price, kind.event.currency)} {kind.event.currency}"

    @admin.display(description="seats taken", ordering="seats_taken")
    def taken(self, kind: TicketType) -> str:
        return f"{kind.seats_taken} of {'any' if kind.quantity is None else kind.quantity}"

    def save_model(self, request: HttpRequest, obj: TicketType, form: Any, change: bool) -> None:
        actor, now = signed_in(request), timezone.now()
        with refusals_of(form):
            if change:
                services.update_ticket_type(ticket_type_id=obj.pk, changes=form.changes(), actor=actor, now=now)
                return
            event = form.cleaned_data["event"]
            kind = services.create_ticket_type(event_id=event.pk, values=form.values(), actor=actor, now=now)
        obj.pk = kind.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: TicketType) -> None:
        services.delete_ticket_type(ticket_type_id=obj.pk, actor=signed_in(request), now=timezone.now())
