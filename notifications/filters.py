"""What notification lists can be filtered and ordered by."""

import django_filters

from eventhub_config.shared.filtering import FilterSet, MomentFilter, Ordering, YesNoFilter
from notifications.models import Notification


class NotificationFilter(FilterSet):
    type = django_filters.ChoiceFilter(choices=Notification.Type.choices)
    is_read = YesNoFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    ordering = Ordering(fields=(("created_at", "created_at"),))

    class Meta:
        model = Notification
        fields: list[str] = []
