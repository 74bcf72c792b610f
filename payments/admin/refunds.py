"""Refunds in the admin."""

from datetime import datetime

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from eventhub_config.shared import money
from eventhub_config.shared.validators import validate_single_line
from payments import services
from payments.admin.common import WORK, NeedsAttentionFilter, PaidEventFilter, TriesAgain
from payments.models import Payment, Refund
from users.authentication import signed_in


class PaidByHandForm(forms.Form):
    required_css_class = "required"

    note = forms.CharField(
        max_length=255,
        validators=[validate_single_line],
        help_text="How the money went back, such as in cash. Whoever booked can read it.",
    )


@admin.register(Refund)
class RefundAdmin(TriesAgain):
    organizer_path = "payment__booking__event__organizer"
    list_display = ("id", "payment", "amount_text", "status", "failure_code", "reason", "created_at", "completed_at")
    list_filter = ("status", NeedsAttentionFilter, PaidEventFilter, "created_at")
    list_select_related = ("payment",)
    ordering = ("-pk",)
    search_fields = ("=payment__booking__reference", "payment__booking__user__email", "=gateway_reference")
    search_help_text = "By the booking's reference, the attendee's e-mail address, or the gateway's reference."
    actions = ("try_again_selected", "mark_as_paid_selected")
    fields = (
        "payment", "status", "amount_text", "reason", "gateway_reference", "failure_code", "by_hand_note",
        "created_at", "completed_at", *WORK,
    )  # fmt: skip
    readonly_fields = ("amount_text",)

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, refund: Refund) -> str:
        return f"{money.as_text(refund.amount, refund.payment.currency)} {refund.payment.currency}"

    def name_of(self, row: Refund) -> str:
        return f"{self.amount_text(row)} for booking {row.payment.booking.reference}"

    def row_actions_of(self, row: Refund) -> dict[str, str]:
        open_by_hand = row.payment.gateway == Payment.BY_HAND and row.status != Refund.Status.COMPLETED
        paid = {"mark_as_paid_selected": "Mark as paid by hand"} if row.parked_at or open_by_hand else {}
        return {**super().row_actions_of(row), **paid}

    def try_again(self, request: HttpRequest, row: Refund, now: datetime) -> None:
        services.retry_refund(refund_id=row.pk, actor=signed_in(request), now=now)

    @admin.action(description="Mark selected refunds as paid by hand", permissions=["view"])
    def mark_as_paid_selected(self, request: HttpRequest, queryset: QuerySet[Refund]) -> HttpResponseBase | None:
        form = PaidByHandForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            question = "Have you given this money back yourself?"
            return self.ask(request, queryset, action="mark_as_paid_selected", question=question, form=form)

        def mark(refund: Refund, now: datetime) -> None:
            note = form.cleaned_data["note"]
            services.mark_refund_as_paid(refund_id=refund.pk, note=note, actor=signed_in(request), now=now)

        self.do_each(request, queryset, mark, "marked as paid")
        return None
