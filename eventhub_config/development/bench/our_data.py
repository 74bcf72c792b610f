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
        result = {
            "tokens": _tokens(content["buyers"], now),
            "listed": _listed(content["listed"], organizer, now),
            "hot": [_published(event, organizer, now) for event in content["hot"]],
            "scarce": [_published(event, organizer, now) for event in content["scarce"]],
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


def _tokens(names: list[str], now: datetime) -> list[str]:
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
    start_session = import_module("users.services.tokens").start_session
    return [start_session(user=user, now=now).access for user in users]


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


if __name__ == "__main__":
    main()
