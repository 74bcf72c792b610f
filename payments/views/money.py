"""What the rows of money have in common."""

from rest_framework import mixins

from eventhub_config.shared.permissions import SignedIn
from eventhub_config.shared.views import ApiViewSet


class MoneyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Lists and single rows of money: one's own, and those of events that one runs."""

    access = {"list": SignedIn, "retrieve": SignedIn}
