"""Ticket types in the admin: on their event's page, and in a list of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from eventhub_config.shared import money
from eventhub_config.shared.admin_forms import refusals_of
from eventhub_config.shared.scoped_admin import ScopedAdmin, ScopedInline, with_refusal
from events import services
from events.admin.common import EditableEvents, EventListFilter, RowServices
from events.forms import RowsOfEventFormSet, TicketTypeForm
from events.models import TicketType
from users.authentication import signed_in

ROWS = RowServices(
    name="name",
    create=services.create_ticket_type,
    update=lambda pk, **more: services.update_ticket_type(ticket_type_id=pk, **more),
    delete=lambda pk, **more: services.delete_ticket_type(ticket_type_id=pk, **more),
)


class TicketTypeInline(EditableEvents, ScopedInline):
    template = admin.StackedInline.template
    model = TicketType
    form = TicketTypeForm
    formset = RowsOfEventFormSet
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
