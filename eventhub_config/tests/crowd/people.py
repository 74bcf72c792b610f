"""Who makes up the crowd: attendees, organizers at their desks, devices at the door."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from bookings.models import Booking, Waitlist
from eventhub_config.tests.crowd.clients import Client
from events.models import Event, TicketType
from events.tests.factories import an_event

FULL = {"sold_out", "waitlist_open"}
SCARCE = 50  # seats


@dataclass
class Venue:
    """An event of the crowd, and within what its organizers edit it."""

    event: Event
    kinds: list[int]
    party: int = 1  # seats that one person asks for at most
    least: int = 0  # capacity
    most: int = 0
    quantities: dict[int, tuple[int, int]] = field(default_factory=dict)
    price: int = 0

    @property
    def pk(self) -> int:
        return self.event.pk

    @property
    def path(self) -> str:
        return f"/api/events/{self.pk}/"

    @property
    def is_scarce(self) -> bool:
        """Return whether more people want to come than can."""
        return 0 < self.most < SCARCE


def a_venue(
    *, party: int = 1, least: int = 0, most: int = 0, quantity: tuple[int, int] = (0, 0), price: int = 0, **values: Any
) -> Venue:
    """Make a published event; ``quantity`` (least, most) gives it a second, scarcer ticket type."""
    kinds = [{"name": "Hall", "price": Decimal(price), "max_per_booking": party}]
    if quantity[1]:
        kinds.append(
            {"name": "Balcony", "price": Decimal(price * 2), "max_per_booking": party, "quantity": quantity[1]}
        )
    event = an_event(capacity=most or None, ticket_types=kinds, now=timezone.now(), **values)
    found = list(TicketType.objects.in_order().filter(event=event).values_list("pk", flat=True))
    return Venue(event, found, party, least, most, {found[1]: quantity} if quantity[1] else {}, price)


@dataclass
class Attendee:
    """Goes from one event to the next: books, pays or does not, queues, changes their mind."""

    client: Client
    venues: list[Venue]

    def act(self) -> None:
        venue = self.client.random.choice(self.venues)
        seen = self.client.read("look", f"{venue.path}eligibility/")
        if seen.status != 200:
            return
        booking, entry = seen.body["booking"], seen.body["waitlist_entry"]
        if booking and booking["status"] == "pending":
            self._unpaid(venue, booking["id"])
        elif booking:
            self._booked(venue, booking["id"])
        elif entry and entry["status"] == "offered":
            self._offered(venue, entry["id"])
        elif entry:
            self._waiting(venue, entry["id"])
        else:
            self.book_or_join(venue)

    def book_or_join(self, venue: Venue, *, seats: int = 0, eagerness: float = 0.8) -> None:
        """Book some seats; if there are none, join the queue for them, as often as not."""
        kind = self.client.random.choice(venue.kinds)
        seats = seats or self.client.random.randint(1, venue.party)
        wanted = {"event": venue.pk, "tickets": [{"ticket_type": kind, "quantity": seats}]}
        answer = self.client.do("book", "/api/bookings/", wanted, event=venue.pk, keyed=True)
        if answer.code in FULL and self.client.random.random() < eagerness:
            place = {"event": venue.pk, "ticket_type": kind, "seats": seats}
            self.client.do("join", "/api/waitlist/", place, event=venue.pk, keyed=True)

    def pay(self, venue: Venue, booking: int, token: str = "tok_success") -> None:
        body = {"booking": booking, "token": token}
        self.client.do("pay", "/api/payments/", body, event=venue.pk, subject=booking, keyed=True)

    def cancel(self, venue: Venue, booking: int) -> None:
        self.client.do("cancel", f"/api/bookings/{booking}/cancel/", event=venue.pk, subject=booking, keyed=True)

    def accept(self, venue: Venue, entry: int) -> None:
        path = f"/api/waitlist/{entry}/accept/"
        self.client.do("accept", path, event=venue.pk, subject=entry, keyed=True, made="booking")

    def leave(self, venue: Venue, entry: int) -> None:
        self.client.do("leave", f"/api/waitlist/{entry}/leave/", event=venue.pk, subject=entry)

    def decline(self, venue: Venue, entry: int) -> None:
        self.client.do("decline", f"/api/waitlist/{entry}/decline/", event=venue.pk, subject=entry)

    def _unpaid(self, venue: Venue, booking: int) -> None:
        luck = self.client.random.random()
        if luck < 0.6:
            tokens = ["tok_success"] * 6 + ["tok_decline"] * 2 + ["tok_timeout"]
            self.pay(venue, booking, self.client.random.choice(tokens))
        elif luck < 0.75:
            self.cancel(venue, booking)
        else:
            let_the_hold_run_out(booking)

    def _booked(self, venue: Venue, booking: int) -> None:
        if self.client.random.random() < 0.5:
            self.cancel(venue, booking)

    def _offered(self, venue: Venue, entry: int) -> None:
        luck = self.client.random.random()
        if luck < 0.6:
            self.accept(venue, entry)
        elif luck < 0.75:
            self.decline(venue, entry)
        elif luck < 0.8:
            self.leave(venue, entry)
        else:
            let_the_offer_run_out(entry)

    def _waiting(self, venue: Venue, entry: int) -> None:
        luck = self.client.random.random()
        if luck < 0.04:
            self.leave(venue, entry)
        elif luck < 0.1:  # perhaps of the other ticket type there is something left
            self.book_or_join(venue)


@dataclass
class Editor:
    """An organizer at the desk: more seats, fewer seats, another title, a day later; serves the queue by hand."""

    clients: dict[int, Client]  # by user
    venues: list[Venue]
    edits: int = 0

    def act(self) -> None:
        any_client = next(iter(self.clients.values()))
        venue = any_client.random.choice(self.venues)
        client = self.clients[venue.event.organizer_id]
        options: list[tuple[int, Callable[[Client, Venue], None]]] = [
            (8, self._words),
            (2, self._move),
            (4, self._offer_next),
            (2, self._throw_out),
        ]
        if venue.most:
            options.append((8, self._capacity))
        if venue.is_scarce:
            options.append((2, self._give))
        if venue.quantities:
            options.append((6, self._quantity))
        weights, deeds = zip(*options, strict=True)
        client.random.choices(deeds, weights)[0](client, venue)

    def set_capacity(self, client: Client, venue: Venue, capacity: int) -> None:
        client.do("capacity", venue.path, {"capacity": capacity}, method="PATCH", event=venue.pk, again=True)

    def set_quantity(self, client: Client, venue: Venue, kind: int, quantity: int) -> None:
        path = f"/api/ticket-types/{kind}/"
        client.do("quantity", path, {"quantity": quantity}, method="PATCH", event=venue.pk, again=True)

    def _capacity(self, client: Client, venue: Venue) -> None:
        self.set_capacity(client, venue, client.random.randint(venue.least, venue.most))

    def _quantity(self, client: Client, venue: Venue) -> None:
        kind, (least, most) = client.random.choice(list(venue.quantities.items()))
        self.set_quantity(client, venue, kind, client.random.randint(least, most))

    def _words(self, client: Client, venue: Venue) -> None:
        self.edits += 1
        client.do("edit", venue.path, {"title": f"Title {self.edits}"}, method="PATCH", event=venue.pk, again=True)

    def _move(self, client: Client, venue: Venue) -> None:
        later = timedelta(hours=client.random.randint(1, 48))
        starts_at, ends_at = venue.event.starts_at + later, venue.event.ends_at + later
        moved = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        client.do("move", venue.path, moved, method="PATCH", event=venue.pk, again=True)

    def _offer_next(self, client: Client, venue: Venue) -> None:
        client.do("offer next", f"{venue.path}offer_next/", event=venue.pk)

    def _give(self, client: Client, venue: Venue) -> None:
        guest = {"email": f"guest{uuid.uuid4().hex[:12]}@example.com", "name": "A guest", "reason": "Press"}
        client.do("give", f"{venue.path}complimentary/", guest, event=venue.pk, keyed=True)

    def _throw_out(self, client: Client, venue: Venue) -> None:
        found = client.read("bookings", f"/api/bookings/?event={venue.pk}&status=confirmed&page_size=20")
        if found.status == 200 and found.body["results"]:
            booking = client.random.choice(found.body["results"])["id"]
            path = f"/api/bookings/{booking}/cancel/"
            client.do("cancel", path, {"reason": "Sorry"}, event=venue.pk, subject=booking, keyed=True)


@dataclass
class Door:
    """A device at an event's door: keeps the list, scans what it is shown, some of it twice, undoes what was wrong."""

    client: Client
    venue: Venue
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)  # its copy of the list, by id
    changed_since: str = ""

    def act(self) -> None:
        if not self.tickets or self.client.random.random() < 0.05:
            self.keep_up()
        if not self.tickets:
            return
        shown = self.client.random.choice(list(self.tickets.values()))
        luck = self.client.random.random()
        if luck < 0.1:
            path = f"/api/tickets/{shown['id']}/undo_check_in/"
            self.client.do("undo check-in", path, event=self.venue.pk, subject=shown["id"])
        elif luck < 0.2:
            self._bulk()
        else:
            scan = {"code": shown["code"], "scan_id": uuid.uuid4().hex}
            path = f"{self.venue.path}check_in/"
            self.client.do("check in", path, scan, event=self.venue.pk, subject=shown["id"], again=True)

    def keep_up(self) -> None:
        """Bring its copy of the list up to date by what changed since it last asked."""
        query = f"?changed_since={self.changed_since}" if self.changed_since else ""
        found = self.client.read("list at the door", f"{self.venue.path}door/{query}")
        if found.status == 200:
            self.tickets |= {row["id"]: row for row in found.body["tickets"]}
            self.changed_since = found.body["changed_since"]

    def has_gone_astray(self) -> bool:
        """Return whether its copy, brought up to date, tells anything else than the whole list asked for anew."""
        self.keep_up()
        anew = Door(self.client, self.venue)
        anew.keep_up()
        return self._standing() != anew._standing()

    def _standing(self) -> dict[int, dict[str, Any]]:
        return {pk: row for pk, row in self.tickets.items() if row["state"] not in {"cancelled", "expired"}}

    def _bulk(self) -> None:
        shown = self.client.random.sample(list(self.tickets.values()), min(len(self.tickets), 10))
        now = timezone.now().isoformat()
        scans = [{"scan_id": uuid.uuid4().hex, "code": one["code"], "scanned_at": now} for one in shown]
        self.client.do("scans", f"{self.venue.path}scans/", {"scans": scans}, event=self.venue.pk, again=True)


def let_the_hold_run_out(booking: int) -> None:
    """Move the clock for one unpaid booking: its time to pay is over. Not once a payment has extended it."""
    held = Booking.objects.filter(pk=booking, status=Booking.Status.PENDING, hold_extended_at=None)
    held.update(expires_at=timezone.now())


def let_the_offer_run_out(entry: int) -> None:
    Waitlist.objects.filter(pk=entry, status=Waitlist.Status.OFFERED).update(offer_expires_at=timezone.now())
