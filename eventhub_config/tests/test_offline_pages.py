"""The pages for people work without any other host."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/api/docs/", "/api/redoc/", "/admin/login/"])
def test_everything_that_a_page_loads_is_ours(address: str) -> None:
    page = Client().get(address).content.decode()

    assert set(re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", page)) <= {"http://www.w3.org"}  # SVG's name, not fetched
    loaded = re.findall(r"""<(?:link|script|img)\b[^>]*\b(?:href|src)="([^"]+)""", page)
    assert len(loaded) > 0
    for path in loaded:
        assert path.startswith(settings.STATIC_URL)
        assert finders.find(path.removeprefix(settings.STATIC_URL)), path


def test_redoc_may_not_fetch_what_its_bundle_names() -> None:
    page = Client().get("/api/redoc/").content.decode()

    assert "Content-Security-Policy\" content=\"default-src 'self';" in page


def test_swagger_does_not_send_the_document_to_a_validator() -> None:
    page = Client().get("/api/docs/").content.decode()

    assert '"validatorUrl": null' in page
