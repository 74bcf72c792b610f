"""Sessions in the admin: on their event's page, and in a list of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from eventhub_config.shared.admin_forms import refusals_of
from eventhub_config.shared.scoped_admin import ScopedAdmin, ScopedInline, with_refusal
from events import services
from events.admin.common import EditableEvents, EventListFilter, RowServices, clock_text
from events.forms import RowsOfEventFormSet, SessionForm
from events.models import Event, Session
from events.wall_clock import span_text
from users.authentication import signed_in

# A longer programme is looked at on the event's page, and edited in the list: a form has only so many fields.
LONGEST_TABLE = 25
ROWS = RowServices(
    name="title",
    create=services.create_session,
    update=lambda pk, **more: services.update_session(session_id=pk, **more),
    delete=lambda pk, **more: services.delete_session(session_id=pk, **more),
)


class SessionInline(EditableEvents, ScopedInline):
    model = Session
    form = SessionForm
    formset = RowsOfEventFormSet
    organizer_path = "event__organizer"
    can_delete = True
    ordering = ("starts_at", "position", "pk")
    readonly_fields = ("when",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("event")

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        if obj is not None and not self._may_edit(request, obj):
            return ("title", "speaker", "room", "when")
        return ("title", "speaker", "room", "starts_at", "ends_at", "position")

    def get_formset(self, request: HttpRequest, obj: Event | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = with_refusal(formset.form, request)
        return formset

    def _may_edit(self, request: HttpRequest, obj: Any) -> bool:
        return super()._may_edit(request, obj) and (obj is None or self._is_short(obj))

    def _is_short(self, event: Event) -> bool:
        known = vars(event)  # asked for each of four permissions
        if "programme_is_short" not in known:
            known["programme_is_short"] = event.sessions.count() <= LONGEST_TABLE
        return bool(known["programme_is_short"])

    @admin.display(description="when", empty_value="-")
    def when(self, session: Session) -> str:
        return span_text(session.starts_at, session.ends_at, session.event.timezone)


@admin.register(Session)
class SessionAdmin(EditableEvents, ScopedAdmin):
    form = SessionForm
    organizer_path = "event__organizer"
    list_display = ("title", "event", "local_start", "speaker", "room")
    list_filter = (EventListFilter,)
    list_select_related = ("event",)
    date_hierarchy = "starts_at"
    ordering = ("-event_id", "starts_at", "position", "pk")
    search_fields = ("title", "speaker", "room", "event__title")
    search_help_text = "By title, speaker, room, or the event's title."
    autocomplete_fields = ("event",)
    fieldsets = (
        (None, {"fields": ("event", "title", "description", "speaker", "room")}),
        (
            "When",
            {
                "fields": ("starts_at", "ends_at", "position"),
                "description": "Times are as the clocks show them in the event's time zone.",
            },
        ),
        ("Seats", {"fields": ("capacity",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("event")

    def get_readonly_fields(self, request: HttpRequest, obj: Session | None = None) -> tuple[str, ...]:
        return () if obj is None else ("event",)

    @admin.display(description="local start", ordering="starts_at")
    def local_start(self, session: Session) -> str:
        zone = session.event.timezone
        return f"{clock_text(session.starts_at, zone, '%a %Y-%m-%d %H:%M')} {zone}"

    def save_model(self, request: HttpRequest, obj: Session, form: Any, change: bool) -> None:
        actor, now = signed_in(request), timezone.now()
        with refusals_of(form):
            if change:
                services.update_session(session_id=obj.pk, changes=form.changes(), actor=actor, now=now)
                return
            event = form.cleaned_data["event"]
            session = services.create_session(event_id=event.pk, values=form.values(), actor=actor, now=now)
        obj.pk = session.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        services.delete_session(session_id=obj.pk, actor=signed_in(request), now=timezone.now())
