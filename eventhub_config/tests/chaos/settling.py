"""After the storm: whatever is unknown is cleared up, and everything that is under way comes to its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.utils import timezone

from bookings.models import Booking, Waitlist
from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.tests.chaos.clients import Chronicle, Request
from eventhub_config.tests.chaos.judging import rows, stuck
from eventhub_config.tests.chaos.machinery import Machinery
from eventhub_config.tests.chaos.people import Buyer, Desk
from eventhub_config.tests.crowd.crowd import under_way
from eventhub_config.tests.crowd.people import Venue
from payments.models import Payment

AT_REST_FOR = 3  # looks in a row
LONGEST = 420.0  # seconds, and as long again as the storm: workers may be that far behind with their mails
NOTHING_MOVES_FOR = 120.0  # seconds: longer than any claim lasts
TRIES_BY_HAND = 3
HOLDS_LAST = 15.0  # seconds: in a hurry, no longer than that
SKIP_AFTER = 20.0  # seconds: in a hurry, claims of the dead run out this often, if there are any


@dataclass
class Settling:
    """``in_a_hurry``: the clock is moved on for what only waits for it, as in the one minute of the suite."""

    machinery: Machinery
    buyers: list[Buyer]
    desks: list[Desk]
    venues: list[Venue]
    history: Chronicle
    in_a_hurry: bool
    storm: float  # seconds
    took: float = 0.0
    left: dict[str, object] = field(default_factory=dict)
    by_hand: Counter[int] = field(default_factory=Counter)  # tries, by refund
    paid: set[int] = field(default_factory=set)  # bookings
    workers_killed: int = 0

    def settle(self) -> None:
        began = time.monotonic()
        self._clear_up()
        rests, last_skip, last_move = 0, time.monotonic(), time.monotonic()
        while rests < AT_REST_FOR and time.monotonic() - began < LONGEST + self.storm:
            self.machinery.revive()
            self._act()
            left: dict[str, object] = {**under_way(), **stuck()}
            if left != self.left:
                self.left, last_move = left, time.monotonic()
            elif time.monotonic() - last_move > NOTHING_MOVES_FOR:
                break  # whatever is left is a finding
            rests = 0 if self.left else rests + 1
            if self.left and self.in_a_hurry:
                let_pauses_run_out()
                if time.monotonic() - began > HOLDS_LAST:
                    Booking.objects.filter(status=Booking.Status.PENDING).update(expires_at=timezone.now())
                if time.monotonic() - last_skip > SKIP_AFTER:
                    self._let_claims_of_the_dead_run_out()
                    last_skip = time.monotonic()
            time.sleep(0.5)
        self._clear_up()  # what people did meanwhile
        self.took = time.monotonic() - began

    def _clear_up(self) -> None:
        def one(request: Request) -> bool:
            return request.client.clear_up(request)

        with self.history.lock:
            unanswered, self.history.unanswered = self.history.unanswered, []
        with ThreadPoolExecutor(8) as pool:
            known = list(pool.map(one, unanswered))
        self.history.unanswered += [
            request for request, is_known in zip(unanswered, known, strict=True) if not is_known
        ]

    def _act(self) -> None:
        """Have those who have an offer take it, those whose money failed to go back have it otherwise, and so on."""
        venues = {venue.pk: venue for venue in self.venues}
        by_user = {buyer.client.user.pk: buyer for buyer in self.buyers}
        offered = Waitlist.objects.filter(status=Waitlist.Status.OFFERED).values_list("user", "event", "pk")
        self._each((by_user[user].accept, venues[event], entry) for user, event, entry in offered if user in by_user)
        open_ones = Payment.objects.filter(status__in=Payment.OPEN).values("booking")
        unpaid = Booking.objects.filter(status=Booking.Status.PENDING).exclude(pk__in=open_ones)
        holds = list(unpaid.values_list("user", "event", "pk"))
        mine = [hold for hold in holds if hold[0] in by_user and hold[2] not in self.paid]
        self._each((by_user[user].pay, venues[event], booking) for user, event, booking in mine)
        self.paid |= {booking for _user, _event, booking in mine}
        self._give_back_by_hand()

    def _each(self, acts: Iterable[tuple]) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda act: act[0](*act[1:]), list(acts)))

    def _give_back_by_hand(self) -> None:
        """Do what organizers have to when a gateway refuses a refund for good."""
        failed = rows(
            """
            SELECT r.id, e.organizer_id FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
              JOIN bookings_booking b ON b.id = p.booking_id JOIN events_event e ON e.id = b.event_id
             WHERE r.status = 'failed'
            """
        )
        for refund, organizer in failed:
            if self.by_hand[refund] < TRIES_BY_HAND:
                self.by_hand[refund] += 1
                client, path = self.desks[0].clients[organizer], f"/api/refunds/{refund}/mark_as_paid/"
                client.do("mark as paid", path, {"note": "By bank transfer"}, subject=refund)

    def _let_claims_of_the_dead_run_out(self) -> None:
        """Move the clock on for claims: every worker is dead when this is done, so nobody works on anything."""
        now = timezone.now()
        if not any(rows.filter(claimed_until__gt=now).exists() for rows in owed()):
            return
        for worker in self.machinery.workers:
            worker.kill()
            self.workers_killed += 1
        for claimed in owed():
            claimed.filter(claimed_until__gt=now).update(claimed_until=now)
        self.machinery.revive()


def let_pauses_run_out() -> None:
    """Move the clock on for what waits to be tried again."""
    now = timezone.now()
    for waiting in owed():
        waiting.filter(claimed_until=None, next_attempt_at__gt=now).update(next_attempt_at=now)


def owed() -> Iterator[QuerySet[Any]]:
    """Yield the rows of every kind of work that are not given up."""
    for model in apps.get_models():
        if issubclass(model, OwedWork):
            yield model._base_manager.filter(parked_at=None)
