from rest_framework.routers import SimpleRouter

from events.views import EventViewSet, TicketTypeViewSet

router = SimpleRouter()
router.register("events", EventViewSet, basename="event")
router.register("ticket-types", TicketTypeViewSet, basename="ticket-type")

urlpatterns = router.urls
