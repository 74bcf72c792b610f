from rest_framework.routers import SimpleRouter

from bookings.views import BookedEventViewSet, BookingViewSet, ComplimentaryViewSet, DoorViewSet, TicketViewSet
from bookings.views.attendee_files import AttendeeFileViewSet
from bookings.views.paper import BookingPaperViewSet, TicketPaperViewSet
from bookings.views.waitlist import EventQueueViewSet, WaitlistViewSet

router = SimpleRouter()
router.register("bookings", BookingViewSet, basename="booking")
router.register("events", BookedEventViewSet, basename="booked-event")
router.register("events", ComplimentaryViewSet, basename="complimentary")
router.register("events", AttendeeFileViewSet, basename="attendee-file")
router.register("events", DoorViewSet, basename="door")
router.register("tickets", TicketViewSet, basename="ticket")
router.register("bookings", BookingPaperViewSet, basename="booking-paper")
router.register("tickets", TicketPaperViewSet, basename="ticket-paper")
router.register("events", EventQueueViewSet, basename="queue")
router.register("waitlist", WaitlistViewSet, basename="waitlist")

urlpatterns = router.urls
