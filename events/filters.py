"""What event lists can be filtered, searched and ordered by."""

import django_filters
from django.db.models import Q, QuerySet

from eventhub_config.shared.filtering import FilterSet, IdFilter, MomentFilter, Ordering
from events.models import Event, TicketType


class EventFilter(FilterSet):
    search = django_filters.CharFilter(
        method="find", label="Text in title, summary, description or venue.", max_length=200
    )
    slug = django_filters.CharFilter()
    category = django_filters.ChoiceFilter(choices=Event.Category.choices)
    status = django_filters.ChoiceFilter(choices=Event.Status.choices)
    format = django_filters.ChoiceFilter(choices=Event.Format.choices)
    organizer = IdFilter(field_name="organizer_id")
    city = django_filters.CharFilter(lookup_expr="iexact")
    country = django_filters.CharFilter()
    language = django_filters.CharFilter()
    starts_after = MomentFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = MomentFilter(field_name="starts_at", lookup_expr="lt")
    ordering = Ordering(fields=(("starts_at", "starts_at"), ("created_at", "created_at"), ("title", "title")))

    class Meta:
        model = Event
        fields: list[str] = []

    def find(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        for word in value.split()[:8]:
            queryset = queryset.filter(
                Q(title__icontains=word)
                | Q(summary__icontains=word)
                | Q(description__icontains=word)
                | Q(venue_name__icontains=word)
            )
        return queryset


class TicketTypeFilter(FilterSet):
    event = IdFilter(field_name="event_id")
    ordering = Ordering(fields=(("position", "position"), ("price", "price"), ("name", "name")))

    class Meta:
        model = TicketType
        fields: list[str] = []
