"""What the pages about events share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from eventhub_config.shared.scoped_admin import Scope
from events.models import Event


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


class RowServices(NamedTuple):
    """The services behind the rows of a table on an event's page."""

    name: str  # the field that a row is called by
    create: Callable[..., Model]  # event_id, values, actor, now
    update: Callable[..., object]  # pk, changes, actor, now
    delete: Callable[..., None]  # pk, actor, now


class EditableEvents(Scope):
    """Permissions of pages about an event's own rows: what is over is looked at only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_edit(request, obj)

    def _may_edit(self, request: HttpRequest, obj: Any) -> bool:
        event = obj if obj is None or isinstance(obj, Event) else obj.event
        over = event is not None and event.status in {Event.Status.COMPLETED, Event.Status.CANCELLED}
        return not over and self.has_view_permission(request)


def clock_text(moment: datetime | None, zone: str, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return what clocks show; a page whose times could not be read has none."""
    return moment.astimezone(ZoneInfo(zone)).strftime(form) if moment else "-"
