from collections.abc import Iterator

import pytest
import time_machine
from pytest_django import Settings

from events.tests.factories import NOW
from payments.gateway import gateway
from payments.tests.stripe_stand_in import SECRET_KEY, WEBHOOK_SECRET, StripeStandIn, stripe_stand_in


@pytest.fixture
def at_now() -> Iterator[None]:
    """Stop the clock at ``NOW``."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def stripe_books(settings: Settings) -> Iterator[StripeStandIn]:
    """Take payments through a stand-in for Stripe."""
    with stripe_stand_in() as books:
        settings.PAYMENT_GATEWAY = "stripe"
        settings.STRIPE_SECRET_KEY = SECRET_KEY
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.STRIPE_API_BASE = books.address
        gateway.cache_clear()
        yield books
        gateway.cache_clear()
