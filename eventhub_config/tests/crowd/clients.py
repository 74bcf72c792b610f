"""Somebody with a token who sends requests as a good front end does, and writes down what came of each."""

from __future__ import annotations

import http.client
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from eventhub_config.tests.contract import check
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, Answer, Deed, History
from users.models import CustomUser
from users.tests.factories import tokens_for

LOST = (OSError, http.client.HTTPException)  # the connection broke, or nothing came in time
SECONDS = 60
PATIENCE = 12  # times that the same request is sent
NOTHING = Answer(0, "", {})


@dataclass
class Client:
    """One user's own way in. What it is answered is held against the document of the API."""

    url: str
    user: CustomUser
    history: History
    token: str = ""
    random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.token = self.token or tokens_for(self.user).access

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
    ) -> Answer:
        """Ask for something, and write it down.

        ``keyed``: with an Idempotency-Key, so that it may be sent again when the connection breaks; now and then it is
        not, and stays unknown. ``again``: it may be sent again as it is. ``made``: where the answer names what it made.
        """
        headers = {"Idempotency-Key": uuid.uuid4().hex} if keyed else {}
        patience = PATIENCE if again or (keyed and self.random.random() < 0.9) else 1
        began, tries, answer = time.monotonic(), 0, NOTHING
        while tries < patience:
            tries += 1
            answer = self.send(method, path, body, headers)
            if answer.status and answer.code != "request_in_progress":
                break
            time.sleep(self.random.uniform(0.05, 0.3))
        result = answer.body.get(made) if answer.outcome == ACKNOWLEDGED else None
        self.history.deeds.append(
            Deed(
                self.user.pk,
                what,
                event,
                subject,
                answer.outcome,
                answer.status,
                answer.code,
                result if isinstance(result, int) else 0,
                tries,
                began,
                time.monotonic(),
            )
        )
        return answer

    def read(self, what: str, path: str) -> Answer:
        return self.do(what, path, method="GET", again=True)

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request once. A token that has run out is replaced by a new one."""
        answer = self._send(method, path, body, headers or {})
        if answer.status == http.HTTPStatus.UNAUTHORIZED:
            self.token = tokens_for(self.user).access
            answer = self._send(method, path, body, headers or {})
        return answer

    def _send(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        link = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=SECONDS)
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        try:
            link.request(method, path, None if method == "GET" else json.dumps(body or {}), sent)
            response = link.getresponse()
            content = response.read()
        except LOST:
            return NOTHING
        finally:
            link.close()
        received = dict(response.getheaders())
        check(method, path.partition("?")[0], response.status, received, content)
        told = json.loads(content) if content else {}
        told = told if isinstance(told, dict) else {"results": told}
        replayed = "Idempotency-Replayed" in received
        return Answer(response.status, str(told.get("code", "")) if response.status >= 400 else "", told, replayed)
