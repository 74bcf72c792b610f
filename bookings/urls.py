from rest_framework.routers import SimpleRouter

from bookings.views import BookedEventViewSet, BookingViewSet, DoorViewSet, TicketViewSet

router = SimpleRouter()
router.register("bookings", BookingViewSet, basename="booking")
router.register("events", BookedEventViewSet, basename="booked-event")
router.register("events", DoorViewSet, basename="door")
router.register("tickets", TicketViewSet, basename="ticket")

urlpatterns = router.urls
