"""What lists of money can be filtered and ordered by."""

import django_filters

from eventhub_config.shared.filtering import FilterSet, IdFilter, MomentFilter, Ordering, YesNoFilter
from payments.models import Invoice, Payment, Refund


class PaymentFilter(FilterSet):
    booking = IdFilter(field_name="booking_id")
    event = IdFilter(field_name="booking__event_id")
    status = django_filters.ChoiceFilter(choices=Payment.Status.choices)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    ordering = Ordering(fields=(("created_at", "created_at"), ("amount", "amount")))

    class Meta:
        model = Payment
        fields: list[str] = []


class RefundFilter(FilterSet):
    payment = IdFilter(field_name="payment_id")
    booking = IdFilter(field_name="payment__booking_id")
    event = IdFilter(field_name="payment__booking__event_id")
    status = django_filters.ChoiceFilter(choices=Refund.Status.choices)
    is_given_up = YesNoFilter(field_name="parked_at", lookup_expr="isnull", exclude=True)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    ordering = Ordering(fields=(("created_at", "created_at"), ("amount", "amount")))

    class Meta:
        model = Refund
        fields: list[str] = []


class InvoiceFilter(FilterSet):
    booking = IdFilter(field_name="booking_id")
    event = IdFilter(field_name="booking__event_id")
    payment = IdFilter(field_name="payment_id")
    kind = django_filters.ChoiceFilter(choices=Invoice.Kind.choices)
    number = django_filters.CharFilter(max_length=40)
    issued_after = MomentFilter(field_name="issued_at", lookup_expr="gte")
    issued_before = MomentFilter(field_name="issued_at", lookup_expr="lt")
    is_sent = YesNoFilter(field_name="sent_at", lookup_expr="isnull", exclude=True)
    ordering = Ordering(fields=(("issued_at", "issued_at"), ("number", "number")))

    class Meta:
        model = Invoice
        fields: list[str] = []


class InvoiceExportFilter(InvoiceFilter):
    ordering = None  # type: ignore[assignment]  # a file is in the order in which they were issued
