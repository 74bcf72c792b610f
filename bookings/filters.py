"""What booking lists can be filtered and ordered by."""

import django_filters

from bookings.models import Booking
from eventhub_config.shared.filtering import FilterSet, IdFilter, MomentFilter, Ordering


class BookingFilter(FilterSet):
    event = IdFilter(field_name="event_id")
    status = django_filters.ChoiceFilter(choices=Booking.Status.choices)
    reference = django_filters.CharFilter(lookup_expr="iexact", max_length=12)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    ordering = Ordering(fields=(("created_at", "created_at"),))

    class Meta:
        model = Booking
        fields: list[str] = []
