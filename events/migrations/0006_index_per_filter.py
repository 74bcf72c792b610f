from decimal import Decimal

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Coalesce, Upper


VISIBILITY = ("published_at", "organizer")


def add(
    *what: models.expressions.BaseExpression | str,
    name: str,
    fields: tuple[str, ...] = (),
    include: tuple[str, ...] = VISIBILITY,
) -> migrations.AddIndex:
    index = models.Index(*what, fields=fields, include=include, name=name)
    return migrations.AddIndex(model_name="event", index=index)


class Migration(migrations.Migration):
    dependencies = [("events", "0005_cover_and_prices")]

    operations = [
        migrations.RemoveIndex(model_name="event", name="events_public_by_start"),
        migrations.RemoveIndex(model_name="event", name="events_by_status"),
        migrations.RemoveIndex(model_name="event", name="events_by_organizer"),
        add(name="events_by_start", fields=("starts_at", "id")),
        add(name="events_by_end", fields=("ends_at", "id")),
        add(name="events_by_organizer", fields=("organizer", "starts_at", "id"), include=("published_at",)),
        add(name="events_by_status", fields=("status", "starts_at", "id")),
        add(name="events_by_category", fields=("category", "starts_at", "id")),
        add(name="events_by_format", fields=("format", "starts_at", "id")),
        add(name="events_by_language", fields=("language", "starts_at", "id")),
        add(name="events_by_country", fields=("country", "starts_at", "id")),
        add(Upper("city"), "starts_at", "id", name="events_by_city", include=("city", *VISIBILITY)),
        add(name="events_by_currency", fields=("currency", "lowest_price", "id")),
        add(name="events_by_price", fields=("lowest_price", "id")),
        add(
            Coalesce("average_rating", Value(Decimal(0)), output_field=models.DecimalField()),
            "id",
            name="events_by_rating",
            include=("average_rating", *VISIBILITY),
        ),
        add(name="events_by_title", fields=("title", "id")),
        add(name="events_by_creation", fields=("created_at", "id")),
    ]
