"""What gateways told by themselves, for administrators: it is about money of every organizer."""

import json
from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from payments.admin.common import WORK, NeedsAttentionFilter, TriesAgain
from payments.models import GatewayCallback
from payments.services.trying_again import retry_callback, set_callback_aside
from users.authentication import signed_in


@admin.register(GatewayCallback)
class GatewayCallbackAdmin(TriesAgain):
    list_display = ("id", "gateway", "type", "key", "result", "received_at", "processed_at", "last_error")
    list_filter = (NeedsAttentionFilter, "gateway", "result", "type", "received_at")
    ordering = ("-pk",)
    search_fields = ("=event_id", "=key")
    search_help_text = "By the gateway's id of the callback, or by the key of the payment or refund."
    fields = (
        "gateway", "event_id", "type", "subject", "key", "received_at", "processed_at", "result", "content", *WORK
    )  # fmt: skip
    readonly_fields = ("content",)
    actions = ("try_again_selected", "set_aside_selected")

    @admin.display(description="what it said")
    def content(self, callback: GatewayCallback) -> str:
        return format_html("<pre>{}</pre>", json.dumps(callback.payload, indent=2, ensure_ascii=False))

    def try_again(self, request: HttpRequest, row: GatewayCallback, now: datetime) -> None:
        retry_callback(callback_id=row.pk, actor=signed_in(request), now=now)

    def row_actions_of(self, row: GatewayCallback) -> dict[str, str]:
        tries = super().row_actions_of(row)
        return tries | ({"set_aside_selected": "I have seen to it"} if tries else {})

    @admin.action(description="Close what was given up: a person has seen to it", permissions=["view"])
    def set_aside_selected(self, request: HttpRequest, queryset: QuerySet[GatewayCallback]) -> None:
        def set_aside(row: GatewayCallback, now: datetime) -> None:
            set_callback_aside(callback_id=row.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, set_aside, "closed")
