"""Loads the prototype's database: reads the content as JSON from standard input, writes ids and tokens."""

import json
import sys
from typing import Any

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    content = json.load(sys.stdin)
    call_command("migrate", interactive=False, verbosity=0, run_syncdb=True)
    with transaction.atomic():
        result = _load(content)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    json.dump(result, sys.stdout)


def _load(content: dict[str, Any]) -> dict[str, Any]:
    from django.contrib.auth.models import User
    from rest_framework_simplejwt.tokens import AccessToken

    from prototype.models import Event, TicketType

    organizer = User.objects.create(username="organizer", first_name="Olga", last_name="Organizer")
    users = User.objects.bulk_create(
        User(
            username=name,
            email=f"{name}@example.com",
            password="!",  # noqa: S106 - nobody signs in with it
            first_name="Bea",
            last_name=name.capitalize(),
        )
        for name in content["buyers"]
    )
    result: dict[str, Any] = {
        "tokens": [str(AccessToken.for_user(user)) for user in users],
        "organizer": str(AccessToken.for_user(organizer)),
    }
    for group in ("listed", "hot", "scarce", "doors"):
        events = Event.objects.bulk_create(
            Event(organizer=organizer, slug=f"{group}-{number}", **event["values"])
            for number, event in enumerate(content[group])
        )
        kinds = TicketType.objects.bulk_create(
            TicketType(event=row, position=position, **kind)
            for row, event in zip(events, content[group], strict=True)
            for position, kind in enumerate(event["ticket_types"])
        )
        if group == "listed":
            result[group] = [event.pk for event in events]
        elif group == "doors":
            result[group] = [_at_the_door(kind, users[: content["at_the_door"]]) for kind in kinds]
        else:
            result[group] = [{"event": kind.event_id, "ticket_type": kind.pk} for kind in kinds]
    return result


def _at_the_door(kind: Any, users: list[Any]) -> dict[str, Any]:
    from prototype.models import Booking, Ticket

    bookings = Booking.objects.bulk_create(
        Booking(event_id=kind.event_id, user=user, seats=1, total_amount=0, amount_due=0, currency="EUR")
        for user in users
    )
    tickets = Ticket.objects.bulk_create(
        Ticket(booking=booking, ticket_type=kind, price=0, attendee_name=booking.user.first_name)
        for booking in bookings
    )
    return {"event": kind.event_id, "codes": [ticket.code for ticket in tickets]}


if __name__ == "__main__":
    main()
