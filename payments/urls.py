from django.urls import path
from rest_framework.routers import SimpleRouter

from payments.views import BookingPaymentViewSet, CallbackViewSet, InvoiceViewSet, PaymentViewSet, RefundViewSet

router = SimpleRouter()
router.register("bookings", BookingPaymentViewSet, basename="booking-payment")
router.register("payments", PaymentViewSet, basename="payment")
router.register("refunds", RefundViewSet, basename="refund")
router.register("invoices", InvoiceViewSet, basename="invoice")

urlpatterns = [
    path("payments/callbacks/<slug:gateway>/", CallbackViewSet.as_view({"post": "receive"}), name="callbacks"),
    *router.urls,
]
