"""What can be done with messages. One module per topic; they do not import one another."""

from notifications.services.delivery import deliver, mark_all_as_read, mark_as_read, notify, resend, unread_count

__all__ = ["deliver", "mark_all_as_read", "mark_as_read", "notify", "resend", "unread_count"]
