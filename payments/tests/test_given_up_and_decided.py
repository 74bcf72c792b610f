"""A payment that was given up and is decided after all needs no person any more."""

from datetime import timedelta

import pytest

from eventhub_config.shared.integrity import all_checks
from events.tests.factories import NOW
from payments.models import Payment
from payments.services import time_out_payment
from payments.tests.factories import a_payment, a_processed_payment

pytestmark = pytest.mark.django_db


def given_up(payment: Payment) -> Payment:
    Payment.objects.filter(pk=payment.pk).update(
        parked_at=NOW, attempts=Payment.MAX_ATTEMPTS, last_error="The gateway did not answer."
    )
    payment.refresh_from_db()
    return payment


def parked() -> list[str]:
    (check,) = (check for check in all_checks() if check.name == "work_parked")
    return [finding.subject for finding in check.findings()]


def test_stands_in_nobodys_list_any_more() -> None:
    """PAY-3"""
    payment = given_up(a_payment())
    assert parked() == [f"payment {payment}"]

    time_out_payment(payment_id=payment.pk, now=NOW + timedelta(hours=3))

    payment.refresh_from_db()
    assert (payment.status, payment.parked_at, payment.last_error) == ("failed", None, "")
    assert parked() == []


def test_control_one_that_is_only_given_up_stays_there() -> None:
    a_processed_payment()
    payment = given_up(a_payment())

    assert parked() == [f"payment {payment}"]
