from django.db import migrations
from django.db.models import Min, OuterRef, Q, Subquery
from django.utils import timezone

BATCH = 2000


def fill(apps, schema_editor):
    """Give the events that are there already what new ones are made with; their words are drawn by the sweep."""
    Event = apps.get_model("events", "Event")
    EventSlug = apps.get_model("events", "EventSlug")
    EventSearch = apps.get_model("events", "EventSearch")
    TicketType = apps.get_model("events", "TicketType")
    now, last = timezone.now(), 0
    prices = TicketType.objects.filter(event_id=OuterRef("pk"), is_visible=True).order_by()
    lowest = prices.values("event_id").annotate(lowest=Min("price")).values("lowest")
    while rows := list(Event.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "slug")[:BATCH]):
        ids, last = [pk for pk, _ in rows], rows[-1][0]
        EventSlug.objects.bulk_create([EventSlug(slug=slug, event_id=pk) for pk, slug in rows], ignore_conflicts=True)
        EventSearch.objects.bulk_create([EventSearch(event_id=pk, words=" ", stale_since=now) for pk in ids], ignore_conflicts=True)
        Event.objects.filter(pk__in=ids).update(lowest_price=Subquery(lowest))
        Event.objects.filter(Q(pk__in=ids) & Q(seats_taken__gt=0)).update(first_booked_at=now)


class Migration(migrations.Migration):
    dependencies = [("events", "0006_index_per_filter")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
