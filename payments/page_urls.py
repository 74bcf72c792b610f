from django.urls import path

from payments.pages import MockGatewayPage

urlpatterns = [path("<slug:reference>/", MockGatewayPage.as_view(), name="mock-gateway")]
