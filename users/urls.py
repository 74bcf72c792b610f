from django.urls import path
from rest_framework.routers import SimpleRouter

from users.avatar_views import AvatarViewSet
from users.views import MailedLinkViewSet, OrganizerViewSet, OwnAccountViewSet, TokenViewSet, UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet, basename="user")
router.register("organizers", OrganizerViewSet, basename="organizer")

urlpatterns = [
    path("users/me/", OwnAccountViewSet.as_view({"get": "retrieve", "patch": "partial_update"}), name="me"),
    path("users/me/password/", OwnAccountViewSet.as_view({"post": "change_password"}), name="my-password"),
    path("users/me/avatar/", AvatarViewSet.as_view({"post": "create", "delete": "destroy"}), name="my-avatar"),
    path(
        "users/me/email/",
        OwnAccountViewSet.as_view({"post": "change_email", "delete": "cancel_email_change"}),
        name="my-email",
    ),
    path("users/me/email/verify/", OwnAccountViewSet.as_view({"post": "verify_email"}), name="verify-my-email"),
    path("auth/password/reset/", MailedLinkViewSet.as_view({"post": "request_reset"}), name="request-reset"),
    path("auth/password/reset/confirm/", MailedLinkViewSet.as_view({"post": "reset"}), name="reset-password"),
    path("auth/email/verify/", MailedLinkViewSet.as_view({"post": "verify"}), name="verify-email"),
    path("auth/email/confirm/", MailedLinkViewSet.as_view({"post": "confirm_change"}), name="confirm-email"),
    path("auth/token/", TokenViewSet.as_view({"post": "sign_in"}), name="sign-in"),
    path("auth/token/refresh/", TokenViewSet.as_view({"post": "refresh"}), name="refresh"),
    path("auth/token/verify/", TokenViewSet.as_view({"post": "verify"}), name="verify"),
    path("auth/logout/", TokenViewSet.as_view({"post": "sign_out"}), name="sign-out"),
    *router.urls,
]
