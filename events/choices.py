"""The choices that front ends can ask ``/api/meta/`` for."""

from events.models import Event

CHOICES = {
    "event.category": Event.Category,
    "event.status": Event.Status,
    "event.format": Event.Format,
    "event.attendance_rule": Event.AttendanceRule,
    "event.refund_policy": Event.RefundPolicy,
}
