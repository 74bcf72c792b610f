"""RELIABILITY H12: no token, no password and no address in logs, tasks, histories or anywhere but where it belongs.

Every flow of accounts over HTTP, with a real web server, a worker and a mail server; then everything that they left
behind is searched.
"""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.test import Client

from eventhub_config.development.embedded import Server
from eventhub_config.tests.live import own_queue, wait_until, web, worker
from notifications.models import Notification
from notifications.tests.mail_sink import MailSink, mail_sink, text_of, token_in
from users.models import AccountLink, CustomUser, PasswordResetRequest
from users.services.links import token_of
from users.tests.factories import an_admin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

FIRST, SECOND, TAKEN = "canary-one@example.org", "canary-two@example.org", "canary-owner@example.org"
PASSWORDS = ["canary pass phrase", "canary new pass phrase", "canary typed in vain"]
# Where an address may stand: with the account, with what waits for it, and with the mail to it.
ADDRESS_COLUMNS = {
    ("customuser", "email"), ("customuser", "email_key"), ("accountlink", "email"), ("notification", "send_to"),
    ("pendingregistration", "email"), ("pendingregistration", "email_key"), ("passwordresetrequest", "login"),
}  # fmt: skip


class Browser:
    """Somebody who uses the API."""

    def __init__(self, url: str) -> None:
        self.url, self.token = url, ""

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.url}/api/{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")


def the_token(sink: MailSink, address: str, subject: str) -> str:
    """Wait for a mail and return the token of its link."""

    def found() -> list[Any]:
        return [mail for mail in sink.to(address) if mail["Subject"] == subject]

    wait_until(lambda: bool(found()), seconds=60)
    return token_in(text_of(found()[-1]))


def test_in_every_flow(process_environment: dict[str, str], own_valkey: Server) -> None:
    """Mails are really delivered: every token used here was read from one."""
    CustomUser.objects.create(username="owner", email=TAKEN, password="!", email_verified_at="2026-01-01T00:00Z")
    queue = redis.Redis.from_url(own_valkey.url)
    with mail_sink() as sink:
        environment = own_queue(process_environment) | sink.settings
        environment |= {"REDIS_URL": own_valkey.url, "EMAIL_VERIFICATION": "required"}
        with web(environment) as server:
            person = Browser(server.url)
            registration = {"username": "canary", "email": FIRST, "password": PASSWORDS[0]}
            assert person.post("users/", registration)[0] == 202
            assert person.post("users/", registration | {"email": TAKEN})[0] == 202
            assert person.post("auth/password/reset/", {"email": FIRST})[0] == 202
            waiting = everything_in(queue)  # nobody has taken a task yet
            assert "users.answer_registration" in waiting
            with worker(environment) as working:
                tokens = [the_token(sink, FIRST, "Confirm your registration")]
                assert person.post("auth/email/verify/", {"token": tokens[-1]})[0] == 200
                assert person.post("auth/token/", {"username": FIRST, "password": PASSWORDS[2]})[0] == 401
                status, pair = person.post("auth/token/", {"username": FIRST, "password": PASSWORDS[0]})
                assert status == 200
                person.token = pair["access"]
                change = {"current_password": PASSWORDS[0]}
                assert person.post("users/me/email/", change | {"email": TAKEN})[0] == 202
                assert person.post("users/me/email/", change | {"email": SECOND})[0] == 202
                tokens.append(the_token(sink, SECOND, "Confirm your new e-mail address"))
                assert person.post("auth/email/confirm/", {"token": tokens[-1]})[0] == 200
                assert person.post("auth/password/reset/", {"email": SECOND})[0] == 202
                tokens.append(the_token(sink, SECOND, "Set a new password"))
                reset = {"token": tokens[-1], "new_password": "canary"}
                assert person.post("auth/password/reset/confirm/", reset)[0] == 400
                reset["new_password"] = PASSWORDS[1]
                assert person.post("auth/password/reset/confirm/", reset)[0] == 204
                wait_until(lambda: not Notification.objects.exclude(status="sent").exists(), seconds=60)
                assert len(sink.to(TAKEN)) == 1
                said = server.output() + working.output()
                waiting += everything_in(queue)
    assert not PasswordResetRequest.objects.exists()

    tokens.append(pair["refresh"])
    for secret in [*tokens, *PASSWORDS]:
        assert secret not in said
        assert secret not in waiting
        assert not [place for place, value in every_value() if secret in value]
    for address in (FIRST, SECOND, TAKEN):
        assert address not in said
        assert address not in waiting
        assert {place for place, value in every_value() if address in value} <= ADDRESS_COLUMNS
    assert FIRST in [value for _place, value in every_value()]  # the look finds what is there


def everything_in(queue: redis.Redis) -> str:
    """Return every value in Redis, as text."""
    found: list[Any] = []
    values: list[Any]
    for key in queue.scan_iter():
        match queue.type(key):
            case b"list":
                values = queue.lrange(key, 0, -1)
            case b"hash":
                values = list(queue.hgetall(key).values())
            case b"string":
                values = [queue.get(key)]
            case _:
                values = []
        found += [key, *values]
    # A task's arguments are encoded once more inside its message.
    text = b"\n".join(found).decode(errors="replace")
    inner = [base64.b64decode(body) for body in re.findall(r'"body": ?"([A-Za-z0-9+/=]+)"', text)]
    return text + b"\n".join(inner).decode(errors="replace")


def every_value() -> Iterator[tuple[tuple[str, str], str]]:
    """Yield every value of every column in the database."""
    for model in apps.get_models():
        for row in model._base_manager.values():
            for column, value in row.items():
                yield (str(model._meta.model_name), column), str(value)


def test_in_the_admin_s_pages_and_history() -> None:
    client = Client()
    client.force_login(an_admin())
    user = CustomUser.objects.create(username="canary", email=FIRST, password="!")
    form = {"usable_password": "true", "password1": PASSWORDS[1], "password2": PASSWORDS[1]}
    assert client.post(f"/admin/users/customuser/{user.pk}/password/", form).status_code == 302
    PasswordResetRequest.objects.create(login=PASSWORDS[2], created_at=user.date_joined)
    ask = {"action": "send_verification", "_selected_action": [user.pk]}
    client.post("/admin/users/customuser/", ask)

    token = token_of(AccountLink.objects.get())
    pages = ["accountlink/", f"accountlink/{AccountLink.objects.get().pk}/change/", "passwordresetrequest/"]
    shown = [client.get(f"/admin/users/{page}").content.decode() for page in pages]
    shown += [f"{entry.change_message} {entry.object_repr}" for entry in LogEntry.objects.all()]
    assert not [text for text in shown if token in text or any(password in text for password in PASSWORDS)]
