from django.db import migrations
from django.db.models import Min, OuterRef, Subquery

BATCH = 2000


def fill(apps, schema_editor):
    """Note when each event was first booked, also where nothing of it is left: from then on its currency is fixed."""
    Booking = apps.get_model("bookings", "Booking")
    Event = apps.get_model("events", "Event")
    booked = Booking.objects.filter(event_id=OuterRef("pk")).order_by()
    first = booked.values("event_id").annotate(first=Min("created_at")).values("first")
    last = 0
    while ids := list(Event.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        concerned = Booking.objects.filter(event_id__in=ids).order_by().values("event_id")
        Event.objects.filter(pk__in=concerned).update(first_booked_at=Subquery(first))


class Migration(migrations.Migration):
    dependencies = [("bookings", "0005_tickets_by_event"), ("events", "0009_index_of_falling_prices")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
