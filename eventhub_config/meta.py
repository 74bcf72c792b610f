"""``/api/meta/``: what a front end needs to know before it asks for anything else."""

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared import money
from eventhub_config.shared.errors import error_codes
from eventhub_config.shared.permissions import Anyone
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.views import ApiViewSet

EMAIL_VERIFICATION_CHOICES = [("optional", "Optional"), ("required", "Required")]


class CurrencySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    decimals = serializers.IntegerField()


class ChoiceSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class RegistrationRulesSerializer(serializers.Serializer[Any]):
    email_verification = serializers.ChoiceField(
        EMAIL_VERIFICATION_CHOICES, help_text="`required`: accounts are made when the mailed link is used."
    )
    organizer_approval = serializers.BooleanField(help_text="Whether a new organizer waits for an administrator.")


class PaymentRulesSerializer(serializers.Serializer[Any]):
    gateway = serializers.CharField(help_text="Where new payments are made.")
    publishable_key = serializers.CharField(
        allow_blank=True, help_text="For the gateway's own library in the browser; empty where it needs none."
    )


class MetaSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    choices = serializers.DictField(child=ChoiceSerializer(many=True), help_text="By `resource.field`.")
    currencies = CurrencySerializer(many=True)
    timezones = serializers.ListField(child=serializers.CharField())
    registration = RegistrationRulesSerializer()
    payments = PaymentRulesSerializer()
    error_codes = serializers.DictField(child=serializers.CharField(), help_text="Every `code` and what it means.")


class MetaView(ApiViewSet):
    """Version, choices, currencies, time zones and error codes."""

    access = {"retrieve": Anyone}
    serializer_class = MetaSerializer
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        summary="Read choices, currencies, time zones and error codes", operation_id="meta_retrieve", tags=["meta"]
    )
    def retrieve(self, request: Request) -> Response:
        choices = {
            name: [{"value": value, "label": str(label)} for value, label in kind.choices]
            for _app, contributed in contributions("choices", "CHOICES")
            for name, kind in contributed.items()
        }
        return Response(
            {
                "version": settings.VERSION,
                "choices": choices,
                "currencies": [{"code": code, "decimals": money.exponent(code)} for code in money.currencies()],
                "timezones": sorted(available_timezones()),
                "registration": {
                    "email_verification": settings.EMAIL_VERIFICATION,
                    "organizer_approval": settings.ORGANIZER_APPROVAL,
                },
                "payments": {
                    "gateway": settings.PAYMENT_GATEWAY,
                    "publishable_key": settings.STRIPE_PUBLISHABLE_KEY if settings.PAYMENT_GATEWAY == "stripe" else "",
                },
                "error_codes": error_codes(),
            }
        )
