"""What the administrators' list of users can be filtered, searched and ordered by."""

import django_filters
from django.db.models import Q, QuerySet

from eventhub_config.shared.filtering import FilterSet, Ordering, YesNoFilter
from users.models import CustomUser, comparison_key


class UserFilter(FilterSet):
    search = django_filters.CharFilter(
        method="find", label="Text in user name, e-mail address or name.", max_length=200
    )
    user_type = django_filters.ChoiceFilter(choices=CustomUser.UserType.choices)
    organizer_status = django_filters.ChoiceFilter(choices=CustomUser.OrganizerStatus.choices)
    is_active = YesNoFilter()
    ordering = Ordering(fields=(("date_joined", "date_joined"), ("username_key", "username"), ("email_key", "email")))

    class Meta:
        model = CustomUser
        fields: list[str] = []

    def find(self, queryset: QuerySet[CustomUser], name: str, value: str) -> QuerySet[CustomUser]:
        for word in value.split()[:8]:
            key = comparison_key(word)
            queryset = queryset.filter(
                Q(username_key__contains=key)
                | Q(email_key__contains=key)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
            )
        return queryset
