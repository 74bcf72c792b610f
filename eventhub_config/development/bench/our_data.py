"""Loads Event Hub's own database: reads the content as JSON from standard input, writes ids and tokens.

Events to be booked go through the services; those that are only listed are inserted at once. Tokens come from the
real session service.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from importlib import import_module
from typing import Any

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils import timezone

    content = json.load(sys.stdin)
    call_command("migrate", interactive=False, verbosity=0)
    now = timezone.now()
    with transaction.atomic():
        organizer = _organizer()
        people, tokens = _people(content["buyers"], now)
        result = {
            "tokens": tokens,
            "listed": _listed(content["listed"], organizer, now),
            "hot": [_published(event, organizer, now) for event in content["hot"]],
            "scarce": [_published(event, organizer, now) for event in content["scarce"]],
            "doors": [
                _at_the_door(_published(event, organizer, now), people[: content["at_the_door"]], now)
                for event in content["doors"]
            ],
            "organizer": _token(organizer, now),
        }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    json.dump(result, sys.stdout)


def _model(name: str) -> Any:
    from django.apps import apps

    return apps.get_model(name)


def _organizer() -> Any:
    organizer = _model("users.CustomUser")(username="organizer", email="o@example.com", user_type="organizer")
    organizer.set_unusable_password()
    organizer.save()
    return organizer


def _people(names: list[str], now: datetime) -> tuple[list[Any], list[str]]:
    user_model, key = _model("users.CustomUser"), import_module("users.models").comparison_key
    profile_model = _model("users.UserProfile")
    users = user_model.objects.bulk_create(
        user_model(
            username=name,
            email=f"{name}@example.com",
            username_key=key(name),
            email_key=key(f"{name}@example.com"),
            first_name="Bea",
            last_name=name.capitalize(),
            password="!",  # noqa: S106 - nobody signs in with it
        )
        for name in names
    )
    profile_model.objects.bulk_create(profile_model(user=user) for user in users)
    return users, [_token(user, now) for user in users]


def _token(user: Any, now: datetime) -> str:
    access: str = import_module("users.services.tokens").start_session(user=user, now=now).access
    return access


def _listed(events: list[dict[str, Any]], organizer: Any, now: datetime) -> list[int]:
    event_model, type_model = _model("events.Event"), _model("events.TicketType")
    rows = event_model.objects.bulk_create(
        event_model(
            organizer=organizer,
            slug=f"listed-{number}",
            status="published",
            status_changed_at=now,
            published_at=now,
            first_published_at=now,
            **event["values"],
        )
        for number, event in enumerate(events)
    )
    type_model.objects.bulk_create(
        type_model(event=row, position=position, **kind)
        for row, event in zip(rows, events, strict=True)
        for position, kind in enumerate(event["ticket_types"])
    )
    return [row.pk for row in rows]


def _published(event: dict[str, Any], organizer: Any, now: datetime) -> dict[str, int]:
    from decimal import Decimal

    services = import_module("events.services")
    moments = {name: datetime.fromisoformat(event["values"][name]) for name in ("starts_at", "ends_at")}
    kinds = [kind | {"price": Decimal(kind["price"])} for kind in event["ticket_types"]]
    draft = services.create_event(
        organizer=organizer, values=event["values"] | moments, ticket_types=kinds, actor=organizer, now=now
    )
    services.publish_event(event_id=draft.pk, actor=organizer, now=now)
    return {"event": draft.pk, "ticket_type": draft.ticket_types.get().pk}


def _at_the_door(ids: dict[str, int], people: list[Any], now: datetime) -> dict[str, Any]:
    """Give each of these people a booking of one seat, in a few statements, and return the codes of their tickets."""
    booking_model, ticket_model = _model("bookings.Booking"), _model("bookings.Ticket")
    event = _model("events.Event").objects.get(pk=ids["event"])
    terms = {name: getattr(event, name) for name in ("currency", "tax_rate", "refund_policy", "refund_percent")}
    bookings = booking_model.objects.bulk_create(
        booking_model(
            user=user,
            event=event,
            status="confirmed",
            status_changed_at=now,
            seats=1,
            total_amount=0,
            amount_due=0,
            refund_until=event.starts_at,
            created_at=now,
            confirmed_at=now,
            **terms,
        )
        for user in people
    )
    tickets = ticket_model.objects.bulk_create(
        ticket_model(
            booking=booking,
            event=event,
            ticket_type_id=ids["ticket_type"],
            price=0,
            attendee_name=booking.user.first_name,
            status_changed_at=now,
        )
        for booking in bookings
    )
    for model, pk in ((_model("events.Event"), event.pk), (_model("events.TicketType"), ids["ticket_type"])):
        model.objects.filter(pk=pk).update(seats_taken=len(tickets))
    return {"event": event.pk, "codes": [ticket.code for ticket in tickets]}


if __name__ == "__main__":
    main()
