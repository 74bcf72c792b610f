"""Clients that do not give up: what they got no answer to is sent again, under its key, until it is known."""

from __future__ import annotations

import http
import http.client
import json
import random
import re
import socket
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from eventhub_config.tests.contract import BrokenPromise, check
from eventhub_config.tests.crowd.clients import LOST, NOTHING, Client
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, UNKNOWN, Answer, Deed, History

SECONDS = 20
TRIES = 5  # at once; the rest is done when all is quiet again
LAST_TRIES = 40
READS_CHECKED = 0.2  # of the answers to them, against the document: that takes longer than to get them
WITHOUT_A_KEY = 0.08  # of what takes one


class Lines:
    """The connections that are open now, so that they can be cut."""

    def __init__(self) -> None:
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    def add(self, link: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.add(link)

    def remove(self, link: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.discard(link)

    def cut(self, chance: random.Random) -> str:
        """Cut half of them, in the middle of whatever goes over them."""
        with self._lock:
            links = list(self._open)
        chosen = chance.sample(links, (len(links) + 1) // 2)
        for link in chosen:
            with suppress(OSError, AttributeError):  # closed meanwhile
                link.sock.shutdown(socket.SHUT_RDWR)
        return f"{len(chosen)} of {len(links)}"


class Request(NamedTuple):
    """What was asked for and not answered. ``position`` is that of its deed in the history."""

    client: StubbornClient
    position: int
    method: str
    path: str
    body: dict[str, Any] | None
    headers: dict[str, str]
    made: str


@dataclass
class Chronicle(History):
    """A history whose unknown deeds are cleared up later."""

    unanswered: list[Request] = field(default_factory=list)
    marks: dict[int, str] = field(default_factory=dict)  # by position of the deed: what its rows are found again by
    keyless: set[int] = field(default_factory=set)  # positions of the deeds that were sent once, without a key
    promises_broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, deed: Deed, *, mark: str, keyed: bool) -> int:
        with self.lock:
            self.deeds.append(deed)
            position = len(self.deeds) - 1
            if mark:
                self.marks[position] = mark
            if not keyed:
                self.keyless.add(position)
            return position

    def marked(self, what: str) -> list[tuple[str, Deed, bool]]:
        """Return the deeds of a kind that left a mark: the mark, the deed, and whether it was sent without a key."""
        return [
            (mark, self.deeds[position], position in self.keyless)
            for position, mark in self.marks.items()
            if self.deeds[position].what == what
        ]


@dataclass
class StubbornClient(Client):
    """Sends what takes an ``Idempotency-Key`` with one, nearly always, and keeps it until the outcome is known."""

    lines: Lines = field(default_factory=Lines)

    def do(
        self,
        what: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        method: str = "POST",
        event: int = 0,
        subject: int = 0,
        keyed: bool = False,
        again: bool = False,
        made: str = "id",
        mark: str = "",
    ) -> Answer:
        keyed = keyed and self.random.random() >= WITHOUT_A_KEY
        headers = {"Idempotency-Key": uuid.UUID(int=self.random.getrandbits(128)).hex} if keyed else {}
        repeatable = keyed or again
        began, tries, answer = time.monotonic(), 0, NOTHING
        while tries < (TRIES if repeatable else 1):
            tries += 1
            answer = self.send(method, path, body, headers)
            if is_known(answer):
                break
            time.sleep(random.uniform(0.1, 0.6))
        deed = Deed(self.user.pk, what, event, subject, *_told(answer, made), tries, began, time.monotonic())
        history = self.history
        assert isinstance(history, Chronicle)
        position = history.add(deed, mark=mark, keyed=keyed)
        if not is_known(answer) and repeatable and method != "GET":
            with history.lock:
                history.unanswered.append(Request(self, position, method, path, body, headers, made))
        return answer

    def clear_up(self, request: Request) -> bool:
        """Ask again until it is known what came of a request; return whether it is."""
        answer, tries = NOTHING, 0
        while tries < LAST_TRIES and not is_known(answer):
            tries += 1
            answer = self.send(request.method, request.path, request.body, request.headers)
            if not is_known(answer):
                time.sleep(0.5)
        deeds = self.history.deeds
        before = deeds[request.position]
        outcome, status, code, made = _told(answer, request.made)
        deeds[request.position] = before._replace(
            outcome=outcome, status=status, code=code, made=made, tries=before.tries + tries
        )
        return is_known(answer)

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return self._send(method, path, body, headers or {})

    def _send(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        link = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=SECONDS)
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        self.lines.add(link)
        try:
            link.request(method, path, None if method == "GET" else json.dumps(body or {}), sent)
            response = link.getresponse()
            content = response.read()
        except (*LOST, AttributeError):  # AttributeError: its socket was cut and closed between two steps
            return NOTHING
        finally:
            self.lines.remove(link)
            link.close()
        received = dict(response.getheaders())
        self._hold_against_the_document(method, path, response.status, received, content)
        try:
            told = json.loads(content) if content else {}
        except ValueError:
            told = {}
        told = told if isinstance(told, dict) else {"results": told}
        replayed = "Idempotency-Replayed" in received
        return Answer(response.status, str(told.get("code", "")) if response.status >= 400 else "", told, replayed)

    def decide_on_page(self, url: str, decision: str) -> None:
        """Go to the gateway's page, as a person with a browser, and press a button there."""
        parts = urlsplit(url)
        link = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
        with suppress(*LOST, AttributeError):
            link.request("GET", parts.path)
            page = link.getresponse()
            cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
            if found:
                form = urlencode({"csrfmiddlewaretoken": found[1], "decision": decision})
                kind = "application/x-www-form-urlencoded"
                link.request("POST", parts.path, form, {"Content-Type": kind, "Cookie": cookie})
                link.getresponse().read()
        link.close()

    def _hold_against_the_document(
        self, method: str, path: str, status: int, headers: dict[str, str], content: bytes
    ) -> None:
        if method == "GET" and status == http.HTTPStatus.OK and random.random() > READS_CHECKED:
            return
        try:
            check(method, path.partition("?")[0], status, headers, content)
        except BrokenPromise as broken:
            assert isinstance(self.history, Chronicle)
            self.history.promises_broken.append(str(broken))


def is_known(answer: Answer) -> bool:
    """Return whether this says what happened. 503 does not: the database may have been lost on the way back."""
    return answer.status not in {0, 503} and answer.code != "request_in_progress"


def _told(answer: Answer, made: str) -> tuple[str, int, str, int]:
    outcome = answer.outcome if is_known(answer) else UNKNOWN
    result = answer.body.get(made) if outcome == ACKNOWLEDGED else None
    return outcome, answer.status, answer.code, result if isinstance(result, int) else 0
