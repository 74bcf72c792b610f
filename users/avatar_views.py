"""One's own avatar over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.conditional import IF_MATCH, VersionMismatch, expected_version, versioned
from eventhub_config.shared.images.refusals import UPLOAD_PROBLEMS
from eventhub_config.shared.images.uploads import ImageUploadParser, ImageUploadSerializer, uploaded_image
from eventhub_config.shared.permissions import SignedIn
from eventhub_config.shared.views import ApiViewSet
from users import services
from users.models import CustomUser
from users.serializers import OwnUserSerializer


class AvatarViewSet(ApiViewSet):
    access = {"create": SignedIn, "destroy": SignedIn}
    problems = {"create": (*UPLOAD_PROBLEMS, VersionMismatch), "destroy": (VersionMismatch,)}
    queryset = CustomUser.objects.none()
    serializer_class = OwnUserSerializer
    parser_classes = (ImageUploadParser,)
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        summary="Set my avatar",
        description="It replaces the one before, at once. The addresses in the answer work from now on.",
        parameters=[IF_MATCH],
        request=ImageUploadSerializer,
        responses={200: OwnUserSerializer},
    )
    def create(self, request: Request) -> Response:
        services.set_avatar(
            user_id=self.caller.pk,
            content=uploaded_image(request),
            expected=expected_version(request),
            actor=self.caller,
            now=self.now,
        )
        return self._answer()

    @extend_schema(summary="Remove my avatar", parameters=[IF_MATCH], request=None, responses={200: OwnUserSerializer})
    def destroy(self, request: Request) -> Response:
        services.remove_avatar(
            user_id=self.caller.pk, expected=expected_version(request), actor=self.caller, now=self.now
        )
        return self._answer()

    def _answer(self) -> Response:
        user = CustomUser.objects.with_pending_email(self.now).get(pk=self.caller.pk)
        return versioned(self.request, self.get_serializer(user).data, user.profile.version)
