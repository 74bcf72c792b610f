"""What booking lists can be filtered and ordered by."""

from typing import Any

import django_filters
from django.core.validators import RegexValidator
from django.db.models import F, Q, QuerySet

from bookings.models import Booking, Ticket, Waitlist
from bookings.services.door_list import changed_since, moment_of
from eventhub_config.shared.filtering import CodeFilter, FilterSet, IdFilter, MomentFilter, Ordering, YesNoFilter


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


class TicketFilter(FilterSet):
    event = IdFilter(field_name="event_id")
    booking = IdFilter(field_name="booking_id")
    status = django_filters.ChoiceFilter(choices=Ticket.Status.choices)
    code = CodeFilter(max_length=20, label="Exactly, whatever its case.")

    class Meta:
        model = Ticket
        fields: list[str] = []


class WaitlistFilter(FilterSet):
    event = IdFilter(field_name="event_id")
    ticket_type = IdFilter(field_name="ticket_type_id")
    status = django_filters.ChoiceFilter(choices=Waitlist.Status.choices)
    ordering = Ordering(fields=(("created_at", "created_at"),))

    class Meta:
        model = Waitlist
        fields: list[str] = []


class AttendeeOrdering(Ordering):
    """Who was not checked in comes after all others, whichever way the list runs, on every database."""

    def get_ordering_value(self, param: str) -> Any:
        if param.removeprefix("-") != "checked_in_at":
            return super().get_ordering_value(param)
        moment = F("checked_in_at")
        return moment.desc(nulls_last=True) if param.startswith("-") else moment.asc(nulls_last=True)


class AttendeeFilter(FilterSet):
    status = django_filters.ChoiceFilter(choices=Ticket.Status.choices, label="Of the ticket.")
    booking_status = django_filters.ChoiceFilter(
        field_name="booking__status",
        choices=Booking.Status.choices,
        label="Of the booking. Left out: all but cancelled and expired ones.",
    )
    ticket_type = IdFilter(field_name="ticket_type_id")
    checked_in = YesNoFilter(method="are_in")
    search = django_filters.CharFilter(
        method="find",
        max_length=200,
        label="Words in the attendee's name or e-mail address, the ticket's code, the booking's reference, or the name "
        "of whoever booked.",
    )
    ordering = AttendeeOrdering(
        fields=(
            ("attendee_name", "attendee_name"),
            ("checked_in_at", "checked_in_at"),
            ("booking__created_at", "booked_at"),
        )
    )

    class Meta:
        model = Ticket
        fields: list[str] = []

    def are_in(self, queryset: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        checked_in = Q(status=Ticket.Status.CHECKED_IN)
        return queryset.filter(checked_in if value else ~checked_in)

    def find(self, queryset: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        for word in value.split()[:8]:
            # Only where it is shown: a search must not tell what the list does not.
            account = (
                Q(attendee_email="", booking__user__email__icontains=word)
                | Q(booking__user__first_name__icontains=word)
                | Q(booking__user__last_name__icontains=word)
                | Q(booking__user__first_name="", booking__user__last_name="", booking__user__username__icontains=word)
            )
            queryset = queryset.filter(
                Q(attendee_name__icontains=word)
                | Q(attendee_email__icontains=word)
                | Q(code__iexact=word)
                | Q(booking__reference__iexact=word)
                | Q(booking__invited_as__icontains=word)
                | Q(account, booking__invited_as="")
            )
        return queryset


class DoorFilter(FilterSet):
    after = IdFilter(field_name="pk", lookup_expr="gt", label="`next_after` of the answer before.")
    changed_since = django_filters.CharFilter(
        method="changed",
        validators=[RegexValidator(r"^[0-9]{1,16}$", "Take it from the answer before.")],
        label="That of an answer before: only what changed since, cancelled and expired tickets too. You may have some "
        "of it already.",
    )
    ticket_type = IdFilter(field_name="ticket_type_id")
    search = django_filters.CharFilter(method="find", max_length=200, label="As in the list of attendees.")

    class Meta:
        model = Ticket
        fields: list[str] = []

    find = AttendeeFilter.find

    def changed(self, queryset: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        return queryset.filter(changed_since(moment_of(value)))
