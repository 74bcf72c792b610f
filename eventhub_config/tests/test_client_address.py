"""Whose request it is, behind proxies that write addresses in their own ways."""

from typing import Any

import pytest
from django.test import RequestFactory

from eventhub_config.shared.client_address import client_address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:5678", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_is_read_however_it_is_written(settings: Any, written: str, meant: str) -> None:
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", headers={"X-Forwarded-For": f"203.0.113.9, {written}"})

    assert client_address(request) == meant
