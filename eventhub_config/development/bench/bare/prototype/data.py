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
    result: dict[str, Any] = {"tokens": [str(AccessToken.for_user(user)) for user in users]}
    for group in ("listed", "hot", "scarce"):
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
        else:
            result[group] = [{"event": kind.event_id, "ticket_type": kind.pk} for kind in kinds]
    return result


if __name__ == "__main__":
    main()
