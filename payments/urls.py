from rest_framework.routers import SimpleRouter

from payments.views import InvoiceViewSet, PaymentViewSet, RefundViewSet

router = SimpleRouter()
router.register("payments", PaymentViewSet, basename="payment")
router.register("refunds", RefundViewSet, basename="refund")
router.register("invoices", InvoiceViewSet, basename="invoice")

urlpatterns = router.urls
