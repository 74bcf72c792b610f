"""Payments through Stripe: from the API to the worker to a stand-in over HTTP, and back."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import SettingsWrapper as Settings
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.tests.integrity import findings
from events.tests.factories import NOW
from payments.gateway import gateway
from payments.models import MockGatewayEntry, Payment, Refund
from payments.services import process_payment, send_refund, time_out_payment
from payments.tests.factories import a_payment, a_processed_payment
from payments.tests.stripe_stand_in import (
    BANK_DEBIT,
    DECLINED,
    REFUND_PENDS,
    SECRET_KEY,
    THREE_D_SECURE,
    VISA,
    WEBHOOK_SECRET,
    StripeStandIn,
    signature,
    signed,
    stripe_stand_in,
)

pytestmark = [pytest.mark.django_db]
ROOT = Path(__file__).resolve().parents[2]
