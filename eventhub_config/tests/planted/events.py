"""What is planted among events."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import F

from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.pictures import picture
from eventhub_config.tests.planted.planting import Steps, change, copy, lift, planted
from eventhub_config.tests.planted.sound import moment_before
from eventhub_config.tests.world import World
from events.models import Event, EventSearch, EventSlug, Session, TicketType
from events.services.covers import set_cover
from events.tests.factories import an_event


@planted("not_oversold", "oversold_event")
def an_event_with_more_people_than_room(world: World) -> Steps:
    event = an_event(capacity=2, now=world.now)
    for _ in range(2):
        a_booking(event=event, now=world.now)
    yield
    lift(Event, "events_event_not_oversold")
    change(event, capacity=1)


@planted("not_oversold", "oversold_type")
def a_ticket_type_sold_beyond_its_quantity(world: World) -> Steps:
    event = an_event(now=world.now)
    for _ in range(2):
        a_booking(event=event, now=world.now)
    yield
    lift(TicketType, "events_type_not_oversold")
    TicketType.objects.filter(event=event).update(quantity=1)


@planted("search")
def an_event_that_is_not_found(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).delete()


@planted("search")
def an_event_found_by_other_words(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).update(words=" something else ")


@planted("search")
def words_that_nobody_writes_anew(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).update(stale_since=moment_before(world, minutes=6))


@planted("lowest_price")
def a_price_past_the_services(world: World) -> Steps:
    yield
    change(world.objects["ticket_type"], price=Decimal(7))


@planted("programme")
def a_session_after_its_event(world: World) -> Steps:
    yield
    change(world.objects["session"], ends_at=F("ends_at") + timedelta(days=1))


@planted("programme")
def two_sessions_in_one_room(world: World) -> Steps:
    yield
    Session.objects.filter(pk=world.pk("session")).update(room="Hall")
    copy(Session.objects.get(pk=world.pk("session")))


@planted("slugs")
def a_slug_that_leads_nowhere(world: World) -> Steps:
    yield
    EventSlug.objects.filter(event=world.objects["event"]).delete()


@planted("visibility")
def a_draft_that_everybody_sees(world: World) -> Steps:
    yield
    lift(Event, "events_event_draft_is_hidden")
    change(world.objects["draft"], published_at=world.now)


@planted("covers")
def a_cover_that_is_an_avatar(world: World) -> Steps:
    event, organizer = world.objects["event"], world.people["organizer"]
    set_cover(event_id=event.pk, content=picture(), uploaded_by=organizer.pk, actor=organizer, now=world.now)
    yield
    StoredImage.objects.update(purpose="avatar")


@planted("events_move_on")
def an_event_that_never_begins(world: World) -> Steps:
    yield
    began = moment_before(world, minutes=6)
    Event.objects.filter(pk=world.pk("free_event")).update(
        starts_at=began, updated_at=began, status_changed_at=began, registration_deadline=None
    )
