from django.db import migrations
from django.db.models import OuterRef, Subquery

BATCH = 5000


def fill(apps, schema_editor):
    """Give each ticket the event of its booking."""
    Booking = apps.get_model("bookings", "Booking")
    Ticket = apps.get_model("bookings", "Ticket")
    event = Booking.objects.filter(pk=OuterRef("booking_id")).values("event_id")[:1]
    last = 0
    while ids := list(Ticket.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        Ticket.objects.filter(pk__gt=last, pk__lte=ids[-1], event=None).update(event=Subquery(event))
        last = ids[-1]


class Migration(migrations.Migration):
    dependencies = [("bookings", "0003_event_of_a_ticket")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
