"""The crowd itself: let loose for a while, then brought to rest."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import connection

from bookings.models import Booking, Waitlist
from eventhub_config.tests.contract import document
from eventhub_config.tests.crowd.clients import Client
from eventhub_config.tests.crowd.history import History
from eventhub_config.tests.crowd.people import Attendee, Door, Editor, Venue, let_the_hold_run_out
from eventhub_config.tests.crowd.watching import Watch, look
from payments.models import Payment, Refund
from users.tests.factories import a_user

Act = Callable[[], None]
REST_SECONDS = 240
WATCH_EVERY = 0.2


@dataclass
class Crowd:
    """People and their devices, the events they go to, and all that came of it."""

    url: str
    venues: list[Venue]
    attendees: list[Attendee]
    editors: list[Editor]
    doors: list[Door]
    history: History
    watch: Watch = field(default_factory=Watch)
    failures: list[str] = field(default_factory=list)

    def let_loose(self, seconds: float, trouble: Iterable[tuple[Act, float]] = ()) -> None:
        """Have everybody act for some seconds, and watch; ``trouble``: what else is done, every so many seconds."""
        over = threading.Event()
        actors: list[Attendee | Editor | Door] = [*self.attendees, *self.editors, *self.doors]
        acts = [*((actor.act, 0.1) for actor in actors), (self.watch.act, WATCH_EVERY), *trouble]
        threads = [threading.Thread(target=self._again_and_again, args=(*one, over)) for one in acts]
        for thread in threads:
            thread.start()
        over.wait(seconds)
        over.set()
        for thread in threads:
            thread.join()

    def come_to_rest(self, sweep: Act) -> None:
        """Give everybody a last chance to have a seat, and wait until nothing is under way any more.

        Capacity is as large as it gets; who has no seat books or queues; offers are accepted and holds are paid.
        """
        desk = self.editors[0]
        for venue in self.venues:
            organizer = desk.clients[venue.event.organizer_id]
            if venue.most:
                desk.set_capacity(organizer, venue, venue.most)
            for kind, (_least, most) in venue.quantities.items():
                desk.set_quantity(organizer, venue, kind, most)
        self._each(self._try_once_more)
        deadline = time.monotonic() + REST_SECONDS
        while under_way():
            if time.monotonic() > deadline:
                self.failures.append(f"not at rest after {REST_SECONDS} s: {under_way()}")
                return
            sweep()
            self._each(self._take_what_is_offered)
            self.watch.act()
            time.sleep(0.5)
        astray = [door.venue.pk for door in self.doors if door.has_gone_astray()]
        self.failures += [f"a device at the door of event {pk} keeps a wrong list" for pk in astray]

    def _try_once_more(self, attendee: Attendee) -> None:
        for venue in self.venues:
            attendee.book_or_join(venue, seats=1, eagerness=1)

    def _take_what_is_offered(self, attendee: Attendee) -> None:
        venues = {venue.pk: venue for venue in self.venues}
        mine = {"user": attendee.client.user, "event__in": venues}
        for entry in Waitlist.objects.filter(**mine, status=Waitlist.Status.OFFERED):
            attendee.accept(venues[entry.event_id], entry.pk)
        open_ones = Payment.objects.filter(status__in=Payment.OPEN).values("booking")
        for booking in Booking.objects.filter(**mine, status=Booking.Status.PENDING).exclude(pk__in=open_ones):
            attendee.pay(venues[booking.event_id], booking.pk)
            let_the_hold_run_out(booking.pk)  # unless that payment has come in

    def _each(self, act: Callable[[Attendee], None]) -> None:
        def one(attendee: Attendee) -> None:
            self._safely(lambda: act(attendee))

        with ThreadPoolExecutor(len(self.attendees)) as pool:
            list(pool.map(one, self.attendees))

    def _again_and_again(self, act: Act, pause: float, over: threading.Event) -> None:
        try:
            while not over.wait(pause * random.uniform(0.5, 1.5)):
                self._safely(act, close=False)
        finally:
            connection.close()

    def _safely(self, act: Act, *, close: bool = True) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  (in a thread nobody would hear of it)
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.failures.append(f"{type(error).__name__}: {error} ({where.name})")
        finally:
            if close:
                connection.close()


def gather(url: str, venues: list[Venue], *, attendees: int, editors: int, doors: int) -> Crowd:
    """Make a crowd for these events, and users for it."""
    document()  # made once, before threads ask for it at the same time
    history = History([])
    organizers = {venue.event.organizer_id: Client(url, venue.event.organizer, history) for venue in venues}
    return Crowd(
        url,
        venues,
        [Attendee(Client(url, a_user(), history), venues) for _ in range(attendees)],
        [Editor(organizers, venues) for _ in range(editors)],
        [Door(organizers[venue.event.organizer_id], venue) for venue in (venues * doors)[:doors]],
        history,
    )


def under_way() -> dict[str, int]:
    """Return how much is not at rest yet, by what it is."""
    counts = {
        "unpaid holds": Booking.objects.filter(status=Booking.Status.PENDING).count(),
        "offers": Waitlist.objects.filter(status=Waitlist.Status.OFFERED).count(),
        "payments": Payment.objects.filter(status__in=Payment.OPEN).count(),
        "refunds": Refund.objects.filter(status__in=[Refund.Status.REQUESTED, Refund.Status.PROCESSING]).count(),
        "moves to tell of": Booking.objects.filter(move_notice_owed_since__isnull=False).count(),
        "bookings of cancelled events": Booking.objects.active().filter(event__status="cancelled").count(),
        "queues of cancelled events": Waitlist.objects.active().filter(event__status="cancelled").count(),
        "ticket types with idle seats": sum(kind.seats_are_idle for kind in look()),
    }
    return {what: count for what, count in counts.items() if count}
