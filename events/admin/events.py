"""Events in the admin: organizers work on their own, administrators on all."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from eventhub_config.shared.admin_forms import FormRefused, refusals_of
from eventhub_config.shared.conditional import ANY_VERSION, ExpectedVersion
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.images.admin import ImageOnPage
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.scoped_admin import ReasonForm, ScopedAdmin, is_administrator
from events import services
from events.admin import programme, ticket_types
from events.admin.common import EditableEvents, clock_text
from events.admin.programme import SessionInline
from events.admin.ticket_types import TicketTypeInline
from events.forms import EventForm
from events.models import Event, Session, TicketType
from events.serializers import default_attendance_rule
from events.services import searching
from users.authentication import signed_in
from users.models import UserProfile


@admin.register(Event)
class EventAdmin(EditableEvents, ImageOnPage, ScopedAdmin):
    form = EventForm
    image_attribute = "cover"
    image_purpose = StoredImage.Purpose.COVER
    organizer_path = "organizer"
    inlines = (TicketTypeInline, SessionInline)
    rows = {TicketType: ticket_types.ROWS, Session: programme.ROWS}
    list_display = ("title", "status", "category", "local_start", "start_in_utc", "seats", "organizer_name")
    list_filter = ("status", "category", "format")
    list_select_related = ("organizer",)
    date_hierarchy = "starts_at"
    ordering = ("-starts_at", "-pk")
    # By words through the search that the API has; these besides.
    search_fields = ("slugs__slug__exact", "=organizer__username", "=organizer__email")
    search_help_text = "By words as on the public list, by any slug, or by the organizer's user name or e-mail address."
    autocomplete_fields = ("organizer",)
    actions = ("publish_selected", "withdraw_selected", "duplicate_selected", "cancel_selected", "delete_drafts")
    row_links = []
    row_actions = {
        "publish_selected": "Publish",
        "withdraw_selected": "Back to draft",
        "duplicate_selected": "Duplicate",
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

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Event], search_term: str) -> Any:
        if not search_term.strip():
            return queryset, False
        exact, _ = super().get_search_results(request, queryset, search_term)
        by_words = searching.found_by(queryset, search_term)
        return queryset.filter(Q(pk__in=by_words.values("pk")) | Q(pk__in=exact.values("pk"))), False

    @admin.display(description="local start", ordering="starts_at")
    def local_start(self, event: Event) -> str:
        return f"{clock_text(event.starts_at, event.timezone, '%a %Y-%m-%d %H:%M')} {event.timezone}"

    @admin.display(description="start (UTC)", ordering="starts_at")
    def start_in_utc(self, event: Event) -> str:
        return clock_text(event.starts_at, "UTC")

    @admin.display(description="seats taken", ordering="seats_taken")
    def seats(self, event: Event) -> str:
        return f"{event.seats_taken} of {'any number' if event.capacity is None else event.capacity}"

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
        if obj is None:
            return sections
        return [("State", {"fields": self.state}), sections[0], self.image_fieldset(request, obj), *sections[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        state = [name for name in flatten(self.state) if name != "version"]
        return () if obj is None else ("organizer", "picture", *state)

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
                self._update(request, obj, form, actor, now)
                return
            values = dict(form.cleaned_data)
            organizer = values.pop("organizer", actor)
            values["attendance_rule"] = values["attendance_rule"] or default_attendance_rule(values["format"])
            event = services.create_event(organizer=organizer, values=values, ticket_types=[], actor=actor, now=now)
        obj.pk = event.pk
        obj.refresh_from_db()

    def _update(self, request: HttpRequest, obj: Event, form: Any, actor: Any, now: datetime) -> None:
        # A form sends every field: on top of somebody else's edit it would undo that. Sales do not change the version.
        changes = form.changes()
        changes.pop("version", None)
        expected = ExpectedVersion(frozenset({str(form.cleaned_data["version"])}))
        if changes:
            services.update_event(event_id=obj.pk, changes=changes, expected=expected, actor=actor, now=now)
        else:
            expected.check(services.lock_event(obj.pk).version)

        def replace(key: str | None, now: datetime) -> None:
            services.replace_cover(event_id=obj.pk, key=key, expected=ANY_VERSION, actor=actor, now=now)

        self.save_image(request, form, replace)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        rows, actor, now = self.rows[formset.model], signed_in(request), timezone.now()
        for row in formset.forms:
            thing = row.instance
            if formset.can_delete and formset._should_delete_form(row):  # noqa: SLF001  # as Django's own save does
                if thing.pk:
                    formset.deleted_objects.append(thing)
                    name = getattr(thing, rows.name)
                    try:
                        rows.delete(thing.pk, actor=actor, now=now)
                    except DomainError as error:  # shown above the page: Django does not validate what is to be deleted
                        raise FormRefused(DomainError(f"{name}: {error}")) from error
            elif thing.pk and row.has_changed():
                with refusals_of(row):
                    rows.update(thing.pk, changes=row.changes(), actor=actor, now=now)
                formset.changed_objects.append((thing, row.changed_data))
            elif row.has_changed():
                with refusals_of(row):
                    thing = rows.create(event_id=form.instance.pk, values=row.values(), actor=actor, now=now)
                formset.new_objects.append(thing)

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
        return {
            name: label
            for name, label in self.row_actions.items()
            if name not in leads_to or row.may_move_to(leads_to[name])
        }

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

    @admin.action(description="Duplicate selected events", permissions=["add"])
    def duplicate_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        copies: list[Event] = []

        def duplicate(event: Event, now: datetime) -> None:
            copies.append(services.duplicate_event(event_id=event.pk, actor=signed_in(request), now=now))

        self.do_each(request, queryset, duplicate, "duplicated")
        if copies:
            links = ((reverse("admin:events_event_change", args=[copy.pk]), str(copy)) for copy in copies)
            listed = format_html_join(", ", '<a href="{}">{}</a>', links)
            self.message_user(request, format_html("Drafts to go on with: {}.", listed))

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
