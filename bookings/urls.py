from rest_framework.routers import SimpleRouter

from bookings.views import BookedEventViewSet, BookingViewSet

router = SimpleRouter()
router.register("bookings", BookingViewSet, basename="booking")
router.register("events", BookedEventViewSet, basename="booked-event")

urlpatterns = router.urls
