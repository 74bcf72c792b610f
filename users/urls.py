from django.urls import path
from rest_framework.routers import SimpleRouter

from users.views import OrganizerViewSet, OwnAccountViewSet, TokenViewSet, UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet, basename="user")
router.register("organizers", OrganizerViewSet, basename="organizer")

urlpatterns = [
    path("users/me/", OwnAccountViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="me"),
    path("users/me/password/", OwnAccountViewSet.as_view({"post": "change_password"}), name="my-password"),
    path("auth/token/", TokenViewSet.as_view({"post": "sign_in"}), name="sign-in"),
    path("auth/token/refresh/", TokenViewSet.as_view({"post": "refresh"}), name="refresh"),
    path("auth/token/verify/", TokenViewSet.as_view({"post": "verify"}), name="verify"),
    path("auth/logout/", TokenViewSet.as_view({"post": "sign_out"}), name="sign-out"),
    *router.urls,
]
