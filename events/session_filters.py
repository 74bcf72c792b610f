"""What lists of sessions can be filtered, searched and ordered by."""

import django_filters
from django.db.models import Q, QuerySet

from eventhub_config.shared.filtering import FilterSet, IdFilter, MomentFilter, Ordering
from events.models import Session

WORDS = 8  # of a search that count


class ProgrammeFilter(FilterSet):
    """For the sessions of one event."""

    search = django_filters.CharFilter(
        method="find", max_length=200, label="Words in title, description, speaker or room."
    )
    speaker = django_filters.CharFilter(lookup_expr="iexact", max_length=160, label="As it is written, in any case.")
    room = django_filters.CharFilter(lookup_expr="iexact", max_length=80, label="As it is written, in any case.")
    starts_after = MomentFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = MomentFilter(field_name="starts_at", lookup_expr="lt")
    ordering = Ordering(fields=(("starts_at", "starts_at"),))

    class Meta:
        model = Session
        fields: list[str] = []

    def find(self, queryset: QuerySet[Session], name: str, value: str) -> QuerySet[Session]:
        for word in value.split()[:WORDS]:
            queryset = queryset.filter(
                Q(title__icontains=word)
                | Q(description__icontains=word)
                | Q(speaker__icontains=word)
                | Q(room__icontains=word)
            )
        return queryset


class SessionFilter(ProgrammeFilter):
    """For the sessions of all events."""

    event = IdFilter(field_name="event_id")
