"""What `check --deploy` says about opt-ins that have no place on a system that takes real money."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

TAG = "opt_in"


@checks.register(TAG, deploy=True)
def opt_ins(app_configs: Sequence[Any] | None, **_: Any) -> list[checks.CheckMessage]:
    """Name each opt-in that is on."""
    chosen = [
        (settings.PAYMENT_GATEWAY == "mock", "W001", "PAYMENT_GATEWAY=mock takes no real money."),
        (settings.MOCK_GATEWAY_TEST_TOKENS, "W002", "MOCK_GATEWAY_TEST_TOKENS lets clients decide how payments end."),
        (
            settings.PAYMENT_GATEWAY == "stripe" and "_test_" in settings.STRIPE_SECRET_KEY,
            "W005",
            "STRIPE_SECRET_KEY is one of Stripe's test mode, which takes no real money.",
        ),
        (
            settings.PAYMENT_GATEWAY == "stripe" and not settings.FRONTEND_URL,
            "W006",
            "FRONTEND_URL is empty: whoever has to confirm a payment at Stripe comes back to a page that is not there.",
        ),
        (settings.ALLOW_DEMO_DATA, "W003", "ALLOW_DEMO_DATA lets sign-ins with a published password be made."),
        (
            settings.EMAIL_VERIFICATION == "required" and settings.EMAIL_BACKEND.endswith("console_mail.EmailBackend"),
            "W004",
            "EMAIL_VERIFICATION=required while mails are only printed (EMAIL_BACKEND): nobody can register.",
        ),
    ]
    return [checks.Warning(text, id=f"eventhub.{number}") for is_on, number, text in chosen if is_on]
