from django.urls import re_path
from rest_framework.routers import SimpleRouter

from events.views import (
    CoverViewSet,
    EventCalendarViewSet,
    EventViewSet,
    OrganizerCalendarViewSet,
    ProgrammeViewSet,
    SessionViewSet,
    TicketTypeViewSet,
)

router = SimpleRouter()
router.register("events", EventViewSet, basename="event")
router.register("events", EventCalendarViewSet, basename="event-calendar")
router.register("organizers", OrganizerCalendarViewSet, basename="organizer-calendar")
router.register("sessions", SessionViewSet, basename="session")
router.register("ticket-types", TicketTypeViewSet, basename="ticket-type")

urlpatterns = [
    *router.urls,
    re_path(
        rf"^events/(?P<pk>{CoverViewSet.lookup_value_regex})/cover_image/$",
        CoverViewSet.as_view({"post": "create", "delete": "destroy"}),
    ),
    re_path(
        rf"^events/(?P<pk>{ProgrammeViewSet.lookup_value_regex})/sessions/$", ProgrammeViewSet.as_view({"get": "list"})
    ),
]
