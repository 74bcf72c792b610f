"""A browser's part in tests of the admin: what a page's form would send."""

from html.parser import HTMLParser
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from users.models import CustomUser


def browser(user: CustomUser) -> Client:
    """Return a client in which somebody is signed in to the admin."""
    client = Client()
    client.force_login(user)
    return client


def form_on(response: Any, form_id: str) -> dict[str, Any]:
    """Return what a form on a page sends when nothing is typed."""
    page = _Page(form_id)
    page.feed(response.content.decode())
    return page.values


def messages_of(response: Any) -> list[str]:
    """Return the messages that an answer leaves for the next page, or shows."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def errors_on(response: Any) -> dict[str, list[str]]:
    """Return the errors of a refused page's own form, by field."""
    assert response.status_code == 200, response["Location"]
    return {field: list(errors) for field, errors in response.context["adminform"].form.errors.items()}


class _Page(HTMLParser):
    """Collects the values of one form's controls."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.values: dict[str, Any] = {}
        self._inside = False
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name") or ""
        if tag == "form":
            self._inside = values.get("id") == self.form_id
        if not self._inside or "disabled" in values:
            return
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in values:
            self.values[self._select] = values.get("value") or ""
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = ""
        elif tag == "input" and name:
            self._input(name, values)

    def _input(self, name: str, values: dict[str, str | None]) -> None:
        kind = values.get("type", "text")
        if kind == "submit" or (kind in {"checkbox", "radio"} and "checked" not in values):
            return
        self.values[name] = values.get("value") or ("on" if kind == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self._inside and self._textarea:
            self.values[self._textarea] += data.removeprefix("\n") if not self.values[self._textarea] else data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""
