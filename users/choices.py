"""The choices that front ends can ask ``/api/meta/`` for."""

from users.models import CustomUser

CHOICES = {
    "user.user_type": CustomUser.UserType,
    "user.organizer_status": CustomUser.OrganizerStatus,
}
