"""One id per request: in its answer, on its log lines, and on those of the work that it caused."""

import contextlib
import json
import logging
import re
from itertools import count
from urllib.request import Request, urlopen

import pytest
from django.core.management import call_command
from django.test import Client

from eventhub_config.shared.requests import ContextFilter, current_request_id
from eventhub_config.tests.live import own_queue, web, worker
from users.tests.factories import PASSWORD, a_client

HEX = re.compile(r"[0-9a-f]{32}")


def id_of(given: str | None = None) -> str:
    headers = {} if given is None else {"X-Request-ID": given}
    answered: str = Client().get("/healthz", headers=headers)["X-Request-ID"]
    return answered


@pytest.mark.parametrize("given", ["checkout-42", "a.B_c-0123", "8letters", "x" * 64])
def test_a_harmless_id_is_taken_over(given: str) -> None:
    assert id_of(given) == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "two words", "new\nline-123", "<script>alert</script>", "ünïcödé-12", "a;b=c;d=e"]
)
def test_any_other_is_replaced(given: str) -> None:
    """RELIABILITY H12: a caller must not write our log lines."""
    assert HEX.fullmatch(id_of(given))


def test_every_request_has_its_own() -> None:
    assert len({id_of() for _ in range(10)}) == 10


def test_there_is_none_outside_of_a_request() -> None:
    id_of("request-1")

    assert current_request_id() == "-"


@pytest.mark.parametrize("address", ["/healthz", "/api/meta/", "/api/nowhere/", "/nowhere", "/admin/login/", "/"])
@pytest.mark.django_db
def test_every_answer_carries_it(address: str) -> None:
    assert Client().get(address, HTTP_X_REQUEST_ID="request-1")["X-Request-ID"] == "request-1"


def test_every_log_line_carries_it() -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "hello", None, None)

    assert ContextFilter().filter(record)
    assert record.__dict__["request_id"] == "-"


@pytest.mark.django_db
def test_a_command_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("run_job")

    assert current_request_id() == "-"


@pytest.mark.django_db(transaction=True)
def test_it_travels_into_the_worker(process_environment: dict[str, str]) -> None:
    nobody_takes_mail = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_PORT": "1"}
    environment = own_queue(process_environment) | nobody_takes_mail

    with web(environment, workers=1) as server, worker(environment, concurrency=1) as working:
        for number in count():  # on a busy machine the first tries may not wake the worker: a sweep would
            _register(server.url, number)
            with contextlib.suppress(AssertionError):
                line = working.wait_for_output(r"WARNING \S+ \[(\S+)\] Message \d+ was not sent", seconds=3)
                break

    assert re.fullmatch(r"request-of-ada-\d+", line[1])


def _register(server: str, number: int) -> None:
    body = json.dumps({"username": f"ada{number}", "email": f"ada{number}@example.com", "password": PASSWORD})
    headers = {"Content-Type": "application/json", "X-Request-ID": f"request-of-ada-{number}"}
    with urlopen(Request(f"{server}/api/users/", body.encode(), headers)) as answer:
        assert answer.headers["X-Request-ID"] == f"request-of-ada-{number}"


def test_a_client_of_the_tests_is_told_it_as_well() -> None:
    assert HEX.fullmatch(a_client().get("/api/nowhere/").json()["request_id"])
