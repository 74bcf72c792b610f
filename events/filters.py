"""What event lists can be filtered, searched and ordered by. Each has an index: see ``tests/test_list_plans.py``."""

from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import F, QuerySet

from eventhub_config.shared.filtering import (
    CodeFilter,
    DecimalFilter,
    FilterSet,
    IdFilter,
    MomentFilter,
    Ordering,
    YesNoFilter,
)
from events.models import Event, EventSlug, TicketType
from events.models.events import PRICE_OR_NONE, RATING_OR_NONE
from events.services import searching
from events.services.seats import bookable_at


class EventOrdering(Ordering):
    """Events without a price on view come after all others, whichever way the list runs; no reviews count as 0."""

    def get_ordering_value(self, param: str) -> Any:
        if param == "average_rating":
            return RATING_OR_NONE.asc()
        if param == "-average_rating":
            return RATING_OR_NONE.desc()
        if param == "price":
            return F("lowest_price").asc(nulls_last=True)
        if param == "-price":
            return PRICE_OR_NONE.desc()
        return super().get_ordering_value(param)


class EventFilter(FilterSet):
    search = django_filters.CharFilter(
        method="find",
        max_length=200,
        label="Words, or their beginnings, in title, summary, description, venue, skills, organizer's name, session "
        "titles and speakers. The best come first unless `ordering` says otherwise; on PostgreSQL misspelt words are "
        "understood.",
    )
    slug = django_filters.CharFilter(method="of_slug", label="The present or any former slug.", max_length=120)
    category = django_filters.ChoiceFilter(choices=Event.Category.choices)
    status = django_filters.ChoiceFilter(choices=Event.Status.choices, method="in_status")
    format = django_filters.ChoiceFilter(choices=Event.Format.choices)
    organizer = IdFilter(field_name="organizer_id", label="An id, as in `organizers/{id}/`.")
    city = django_filters.CharFilter(lookup_expr="iexact", max_length=120, label="Whatever its case.")
    country = CodeFilter(max_length=2, label="ISO 3166-1 alpha-2, such as DE.")
    language = django_filters.CharFilter(max_length=12, label="A language tag, such as en or pt-BR.")
    skill = django_filters.CharFilter(method="of_skill", max_length=60, label="One of the skills taught, whole.")
    starts_after = MomentFilter(field_name="starts_at", lookup_expr="gte", label="Starts then or later.")
    starts_before = MomentFilter(field_name="starts_at", lookup_expr="lt", label="Starts earlier than that.")
    ends_after = MomentFilter(field_name="ends_at", lookup_expr="gt", label="Still going on then, or later.")
    currency = CodeFilter(max_length=3, label="ISO 4217, such as EUR.")
    price_min = DecimalFilter(
        field_name="lowest_price",
        lookup_expr="gte",
        label="The lowest price is at least this; say in which `currency`.",
    )
    price_max = DecimalFilter(
        field_name="lowest_price", lookup_expr="lte", label="The lowest price is at most this; say in which `currency`."
    )
    is_free = YesNoFilter(method="free", label="Whether there is a ticket for nothing.")
    is_bookable = YesNoFilter(method="bookable", label="Whether a seat can be booked at this moment.")
    rating_min = DecimalFilter(method="rated", max_value=5, label="The average of its reviews is this or better.")
    ordering = EventOrdering(
        fields=(
            ("starts_at", "starts_at"),
            ("ends_at", "ends_at"),
            ("created_at", "created_at"),
            ("title", "title"),
            ("lowest_price", "price"),
            ("average_rating", "average_rating"),
        )
    )

    class Meta:
        model = Event
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Event]) -> QuerySet[Event]:
        found = super().filter_queryset(queryset)
        text, ordering = (self.form.cleaned_data[name] for name in ("search", "ordering"))
        return searching.by_relevance(found) if text and not ordering else found

    def find(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return searching.found_by(queryset, value)

    def of_slug(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return queryset.filter(pk__in=EventSlug.objects.filter(slug=value).values("event_id"))

    def of_skill(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return searching.teaching(queryset, value)

    def in_status(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        found = queryset.filter(status=value)
        caller = self.request.user
        if value == Event.Status.DRAFT and caller.is_authenticated and not caller.is_platform_admin:
            # They see no others' drafts; said once more, the database need not look through those.
            return found.filter(organizer_id=caller.pk)
        return found

    def free(self, queryset: QuerySet[Event], name: str, value: bool) -> QuerySet[Event]:
        return queryset.filter(lowest_price=0) if value else queryset.filter(lowest_price__gt=0)

    def bookable(self, queryset: QuerySet[Event], name: str, value: bool) -> QuerySet[Event]:
        condition = bookable_at(self.request.parser_context["view"].now)
        return queryset.filter(condition) if value else queryset.exclude(condition)

    def rated(self, queryset: QuerySet[Event], name: str, value: Decimal) -> QuerySet[Event]:
        return queryset.alias(rating=RATING_OR_NONE).filter(rating__gte=value, review_count__gt=0)


class TicketTypeFilter(FilterSet):
    event = IdFilter(field_name="event_id")
    ordering = Ordering(fields=(("position", "position"), ("price", "price"), ("name", "name")))

    class Meta:
        model = TicketType
        fields: list[str] = []
