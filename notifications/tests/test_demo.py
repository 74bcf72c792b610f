"""The demo people have read what is not news to them any more."""

import pytest

from events.tests.factories import NOW
from notifications import demo
from notifications.models import Notification
from users import demo as users_demo

pytestmark = pytest.mark.django_db


def test_welcomes_are_read_and_a_second_run_changes_nothing() -> None:
    users_demo.load(now=NOW)

    demo.load(now=NOW)
    shown = Notification.objects.filter(in_app=True).order_by("pk")
    first = list(shown.values("pk", "is_read", "read_at"))
    demo.load(now=NOW.replace(hour=23))

    assert first != []
    assert {row["read_at"] for row in first} == {NOW}
    assert list(shown.values("pk", "is_read", "read_at")) == first
