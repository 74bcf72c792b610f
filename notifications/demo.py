"""Messages of the demo people: what they did wrote them; some of them are read."""

from datetime import datetime

from django.core.mail import get_connection
from django.db.models import Q

from bookings.demo import GIVEN
from notifications import services
from notifications.models import Notification
from users.demo import SIGN_INS


def load(*, now: datetime) -> None:
    """Mark as read what is not news to the demo people any more, and send the mails of their past to nowhere."""
    people = [sign_in.username for sign_in in SIGN_INS]
    theirs = Q(user__username__in=people) | Q(user__email=GIVEN.email)  # who was given a booking has no name yet
    nowhere = get_connection("django.core.mail.backends.dummy.EmailBackend")
    unsent = Notification.objects.filter(theirs, status=Notification.Status.UNSENT)
    for notification_id in unsent.order_by("pk").values_list("pk", flat=True):
        services.deliver(notification_id=notification_id, now=now, through=nowhere)
    old = Notification.objects.unread().filter(user__username__in=people, kind="user_registered")
    for notification_id in old.order_by("pk").values_list("pk", flat=True):
        services.mark_as_read(notification_id=notification_id, now=now)
