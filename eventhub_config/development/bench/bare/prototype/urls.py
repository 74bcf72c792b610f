from django.urls import include, path
from rest_framework.routers import DefaultRouter

from prototype.views import BookingViewSet, EventViewSet

router = DefaultRouter()
router.register("events", EventViewSet)
router.register("bookings", BookingViewSet)
urlpatterns = [path("api/", include(router.urls))]
