"""Payments in the admin."""

import hashlib
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from bookings.admin import BookedEventFilter, BookingAdmin
from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.admin_forms import explain
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.scoped_admin import ScopedInline
from eventhub_config.shared.validators import validate_single_line
from payments import services
from payments.admin.common import WORK, NeedsAttentionFilter, TriesAgain, amount_text
from payments.models import Payment, Refund
from payments.services.refunding import refundable
from users.authentication import signed_in

RECORD_PAGE = "payments_payment_record"


class RefundInline(ScopedInline):
    model = Refund
    organizer_path = "payment__booking__event__organizer"
    fields = ("amount_text", "reason", "status", "failure_code", "created_at", "completed_at")
    readonly_fields = ("amount_text",)
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment")

    @admin.display(description="amount")
    def amount_text(self, refund: Refund) -> str:
        return money.as_text(refund.amount, refund.payment.currency)


class GiveBackForm(forms.Form):
    required_css_class = "required"

    amount = forms.DecimalField(
        required=False,
        max_digits=money.MAX_DIGITS,
        decimal_places=money.DECIMAL_PLACES,
        help_text="Of each payment, in its currency. Empty: all that is left of it, which cancels the booking.",
    )
    reason = forms.CharField(
        max_length=255, validators=[validate_single_line], help_text="Shown to whoever paid, on the credit note too."
    )
    # A form that is sent twice gives back once.
    once = forms.CharField(max_length=40, widget=forms.HiddenInput, initial=opaque_key)

    def key_for(self, payment: Payment, person_id: int) -> IdempotencyKey:
        asked = f"{self.cleaned_data['amount']} {self.cleaned_data['reason']}"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        return IdempotencyKey(person_id, f"admin refund {payment.pk}", self.cleaned_data["once"], digest)


class RecordForm(forms.Form):
    required_css_class = "required"

    method = forms.ChoiceField(choices=Payment.Method.choices, initial=Payment.Method.CASH)
    note = forms.CharField(
        max_length=255,
        required=False,
        validators=[validate_single_line],
        help_text="Such as the number of the receipt. Whoever booked can read it.",
    )


@admin.register(Payment)
class PaymentAdmin(TriesAgain):
    organizer_path = "booking__event__organizer"
    inlines = (RefundInline,)
    list_display = ("id", "booking", "amount_text", "status", "method", "gateway", "failure_code", "created_at")
    list_filter = ("status", NeedsAttentionFilter, "method", BookedEventFilter, "created_at")
    list_select_related = ("booking",)
    ordering = ("-pk",)
    search_fields = ("=booking__reference", "booking__user__email", "=gateway_reference")
    search_help_text = "By the booking's reference, the attendee's e-mail address, or the gateway's reference."
    actions = ("give_back_selected", "try_again_selected")
    fields = (
        "booking", "status", "amount_text", "refunded_text", "method", "gateway", "gateway_reference", "failure_code",
        "note", "created_at", "completed_at", *WORK,
    )  # fmt: skip
    readonly_fields = ("amount_text", "refunded_text")

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, payment: Payment) -> str:
        return amount_text(payment)

    @admin.display(description="given back")
    def refunded_text(self, payment: Payment) -> str:
        return f"{money.as_text(payment.refunded_amount, payment.currency)} {payment.currency}"

    def name_of(self, row: Payment) -> str:
        gone = row.amount - refundable(row)
        back = f", {money.as_text(gone, row.currency)} {row.currency} given back or on its way" if gone else ""
        return f"{amount_text(row)} for booking {row.booking.reference}{back}"

    def row_actions_of(self, row: Payment) -> dict[str, str]:
        left = row.status in {Payment.Status.COMPLETED, Payment.Status.PARTIALLY_REFUNDED}
        return {**({"give_back_selected": "Give back"} if left else {}), **super().row_actions_of(row)}

    def try_again(self, request: HttpRequest, row: Payment, now: datetime) -> None:
        services.retry_payment(payment_id=row.pk, actor=signed_in(request), now=now)

    @admin.action(description="Give selected payments back", permissions=["view"])
    def give_back_selected(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponseBase | None:
        form = GiveBackForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            question = "Give money of these payments back?"
            return self.ask(request, queryset, action="give_back_selected", question=question, form=form)
        person = signed_in(request)

        def give_back(payment: Payment, now: datetime) -> None:
            services.refund_payment(
                payment_id=payment.pk,
                amount=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"],
                actor=person,
                now=now,
                key=form.key_for(payment, person.pk),
            )

        self.do_each(request, queryset, give_back, "given back")
        return None

    # --- Money by hand ---

    def get_urls(self) -> list[Any]:
        page = path("record/<int:booking_id>/", self.admin_site.admin_view(self.record_view), name=RECORD_PAGE)
        return [page, *super().get_urls()]

    def record_view(self, request: HttpRequest, booking_id: int) -> HttpResponseBase:
        """Ask how a booking was paid by hand, and record it."""
        bookings = self.admin_site.get_model_admin(Booking).get_queryset(request)
        booking = bookings.filter(pk=booking_id).first() if booking_id < 2**63 else None
        if booking is None:
            # The answer that Django's own pages give.
            return self._get_obj_does_not_exist_redirect(request, Booking._meta, str(booking_id))  # type: ignore[attr-defined]
        form = RecordForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                payment = services.record_payment(
                    booking_id=booking.pk, actor=signed_in(request), now=timezone.now(), **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, explain(error))
            else:
                done = f"{amount_text(payment)} for booking {booking.reference} were recorded. It is confirmed."
                self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:bookings_booking_change", args=[booking.pk]))
        due = f"{money.as_text(booking.total_amount, booking.currency)} {booking.currency}"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Record a payment by hand",
            "rows": [(booking.pk, f"{due} for booking {booking.reference}, {booking.event.title}")],
            "form": form,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)


def record_link(booking: Booking) -> tuple[str, str] | None:
    """Return the link to the page from that of a booking that can still be paid."""
    if booking.status not in {Booking.Status.PENDING, Booking.Status.EXPIRED}:
        return None
    return "Record a payment by hand", reverse(f"admin:{RECORD_PAGE}", args=[booking.pk])


BookingAdmin.row_links = [*BookingAdmin.row_links, record_link]
