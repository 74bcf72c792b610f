"""Who is in the chaos: people who book, pay in every way, queue and change their minds; organizers who give back."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from eventhub_config.tests.chaos.clients import StubbornClient
from eventhub_config.tests.crowd.people import FULL, Attendee, Editor, Venue

# How often each token is used, in a hundred.
TOKENS = {
    "tok_success": 46,
    "tok_decline": 8,
    "tok_timeout": 8,
    "tok_late_success:3": 8,
    "tok_late_decline:3": 4,
    "tok_duplicate_callback": 6,
    "tok_out_of_order": 4,
    "tok_wrong_amount": 2,
    "tok_wrong_currency": 2,
    "tok_action_required": 8,
    "tok_refund_fails": 2,
    "tok_refund_pending:3": 2,
}
CANCEL_AN_EVENT_EVERY = 20.0  # seconds, at least


@dataclass
class Stage:
    """The events that are on, and those that are yet to come: one that is cancelled makes room for another."""

    on: list[Venue]
    to_come: list[Venue] = field(default_factory=list)
    cancelled: list[Venue] = field(default_factory=list)
    last_cancelled: float = field(default_factory=time.monotonic)

    def replace(self, venue: Venue) -> None:
        self.last_cancelled = time.monotonic()
        if venue in self.on:
            self.on.remove(venue)
            self.cancelled.append(venue)
            if self.to_come:
                self.on.append(self.to_come.pop(0))


@dataclass
class Buyer(Attendee):
    """An attendee who tells nothing but over HTTP, and by whose words each intent is found again in the rows."""

    client: StubbornClient

    def book_or_join(self, venue: Venue, *, seats: int = 0, eagerness: float = 0.8) -> None:
        chance = self.client.random
        kind = chance.choice(venue.kinds)
        seats = seats or chance.randint(1, venue.party)
        mark = a_mark(chance)
        wanted = {
            "event": venue.pk,
            "tickets": [{"ticket_type": kind, "quantity": seats}],
            "special_requirements": {"other": mark},
        }
        answer = self.client.do("book", "/api/bookings/", wanted, event=venue.pk, keyed=True, mark=mark)
        if answer.code in FULL and chance.random() < eagerness:
            place = {"event": venue.pk, "ticket_type": kind, "seats": seats}
            self.client.do("join", "/api/waitlist/", place, event=venue.pk, keyed=True)

    def pay(self, venue: Venue, booking: int, token: str = "tok_success") -> None:
        body = {"booking": booking, "token": token}
        self.client.do("pay", "/api/payments/", body, event=venue.pk, subject=booking, keyed=True, mark=token)

    def cancel(self, venue: Venue, booking: int) -> None:
        mark = a_mark(self.client.random)
        path, why = f"/api/bookings/{booking}/cancel/", {"reason": mark}
        self.client.do("cancel", path, why, event=venue.pk, subject=booking, keyed=True, mark=mark)

    def _unpaid(self, venue: Venue, booking: int) -> None:
        luck = self.client.random.random()
        if luck < 0.6:
            self.pay(venue, booking, self._a_token())
        elif luck < 0.7:
            self._go_where_the_gateway_sends_them(booking)
        elif luck < 0.8:
            self._pay_in_two_tabs(venue, booking)
        elif luck < 0.9:
            self.cancel(venue, booking)

    def _pay_in_two_tabs(self, venue: Venue, booking: int) -> None:
        tokens = [self._a_token(), self._a_token()]
        with ThreadPoolExecutor(2) as tabs:
            list(tabs.map(lambda token: self.pay(venue, booking, token), tokens))

    def _go_where_the_gateway_sends_them(self, booking: int) -> None:
        found = self.client.read("payments", f"/api/payments/?booking={booking}&status=processing")
        for payment in found.body["results"] if found.status == 200 else ():
            if payment["next_action"]:
                decision = self.client.random.choice(["approve", "approve", "decline"])
                self.client.decide_on_page(payment["next_action"]["url"], decision)

    def _booked(self, venue: Venue, booking: int) -> None:
        if self.client.random.random() < 0.3:
            self.cancel(venue, booking)

    def _offered(self, venue: Venue, entry: int) -> None:
        luck = self.client.random.random()
        if luck < 0.7:
            self.accept(venue, entry)
        elif luck < 0.8:
            self.decline(venue, entry)
        elif luck < 0.85:
            self.leave(venue, entry)

    def _a_token(self) -> str:
        return self.client.random.choices(list(TOKENS), list(TOKENS.values()))[0]


@dataclass
class Desk(Editor):
    """An organizer: edits, gives money back, whole or in part, cancels bookings, and now and then a whole event."""

    stage: Stage = field(default_factory=lambda: Stage([]))
    gives_refunds: bool = True
    chance: random.Random = field(default_factory=random.Random)

    def act(self) -> None:
        luck = self.chance.random()
        venue = self.chance.choice(self.venues)
        client = self.clients[venue.event.organizer_id]
        if luck < 0.35 and self.gives_refunds:
            self._refund(client, venue)
        elif luck < 0.4 and time.monotonic() - self.stage.last_cancelled > CANCEL_AN_EVENT_EVERY:
            self._cancel_event(client, venue)
        else:
            super().act()

    def _refund(self, client: Any, venue: Venue) -> None:
        found = client.read("payments", f"/api/payments/?event={venue.pk}&status=completed&page_size=20")
        if found.status != 200 or not found.body["results"]:
            return
        payment = self.chance.choice(found.body["results"])
        mark = a_mark(self.chance)
        body = {"reason": mark}
        if self.chance.random() < 0.6:
            whole = Decimal(payment["amount"])
            body["amount"] = str((whole * self.chance.choice([30, 60, 100]) / 100).quantize(Decimal("0.01")))
        path = f"/api/payments/{payment['id']}/refund/"
        client.do("refund", path, body, event=venue.pk, subject=payment["id"], keyed=True, mark=mark)

    def _cancel_event(self, client: Any, venue: Venue) -> None:
        if not venue.price:  # the free ones are for those who have no luck with money
            return
        self.stage.replace(venue)
        client.do("cancel event", f"{venue.path}cancel/", {"reason": "Storm"}, event=venue.pk, again=True)

    def _throw_out(self, client: Any, venue: Venue) -> None:
        found = client.read("bookings", f"/api/bookings/?event={venue.pk}&status=confirmed&page_size=20")
        if found.status == 200 and found.body["results"]:
            booking = self.chance.choice(found.body["results"])["id"]
            mark = a_mark(self.chance)
            path, why = f"/api/bookings/{booking}/cancel/", {"reason": mark}
            client.do("cancel", path, why, event=venue.pk, subject=booking, keyed=True, mark=mark)

    def _give(self, client: Any, venue: Venue) -> None:
        guest = {"email": f"{a_mark(self.chance)}@example.com", "name": "A guest", "reason": "Press"}
        client.do("give", f"{venue.path}complimentary/", guest, event=venue.pk, keyed=True, mark=guest["email"])


Actor = Callable[[], None]


def a_mark(chance: random.Random) -> str:
    """Return words that nobody else uses, by which what came of one intent is found."""
    return f"intent{uuid.UUID(int=chance.getrandbits(128)).hex}"
