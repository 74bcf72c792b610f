"""Accounts, organizers and tokens over HTTP."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.client_address import client_address
from eventhub_config.shared.conditional import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    VersionMismatch,
    expected_version,
    versioned,
)
from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.permissions import AdminOnly, Anyone, SignedIn
from eventhub_config.shared.throttling import enforce
from eventhub_config.shared.views import ApiViewSet
from users import services
from users.authentication import bearer_token, session_id_of
from users.filters import UserFilter
from users.models import CustomUser
from users.serializers import (
    AccountChangeSerializer,
    AddressConfirmSerializer,
    ConfirmedAddressSerializer,
    EmailChangeSerializer,
    LinkTokenSerializer,
    OrganizerSerializer,
    OwnAccountSerializer,
    OwnUserSerializer,
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
    PendingEmailSerializer,
    RefreshSerializer,
    RegistrationAcceptedSerializer,
    RegistrationSerializer,
    SignInSerializer,
    SignOutSerializer,
    TokenPairSerializer,
    TokenSerializer,
    TokenStateSerializer,
    UserSerializer,
)
from users.services.accounts import OwnAccount
from users.services.addresses import EmailAlreadyVerified, EmailTaken
from users.services.links import LinkNotValid
from users.services.registering import UsernameTaken
from users.services.signing_in import EmailNotVerified, InvalidCredentials, registration_limit
from users.services.tokens import TokenNotValid, TokenPair


@extend_schema_view(list=extend_schema(summary="List accounts"), retrieve=extend_schema(summary="Read an account"))
class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {"list": AdminOnly, "retrieve": AdminOnly, "partial_update": AdminOnly, "create": Anyone}
    problems = {"create": (InvalidInput,), "partial_update": (InvalidInput, OwnAccount)}
    queryset = CustomUser.objects.none()
    serializer_class = UserSerializer
    filterset_class = UserFilter

    def get_queryset(self) -> QuerySet[CustomUser]:
        return CustomUser.objects.with_details().order_by("pk")

    @extend_schema(
        summary="Register",
        description=(
            "201 with the account or, where `registration.email_verification` in `/api/meta/` is `required`, 202: the "
            "account is made when the link in the mail is used."
        ),
        request=RegistrationSerializer,
        responses={201: UserSerializer, 202: RegistrationAcceptedSerializer},
    )
    def create(self, request: Request) -> Response:
        body = RegistrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        enforce(registration_limit(), client_address(request))
        if settings.EMAIL_VERIFICATION == "required":
            services.request_registration(**body.validated_data, now=self.now)
            accepted = RegistrationAcceptedSerializer({"email": body.validated_data["email"]})
            return Response(accepted.data, status=status.HTTP_202_ACCEPTED)
        user = services.register_user(**body.validated_data, now=self.now)
        return Response(self.get_serializer(user).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change an account's role or activity", request=AccountChangeSerializer, responses=UserSerializer
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        body = AccountChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        user = services.update_account(user_id=int(pk), actor=self.caller, now=self.now, **body.validated_data)
        return Response(self.get_serializer(user).data)


class OwnAccountViewSet(ApiViewSet):
    access = {
        "retrieve": SignedIn,
        "partial_update": SignedIn,
        "change_password": SignedIn,
        "verify_email": SignedIn,
        "change_email": SignedIn,
        "cancel_email_change": SignedIn,
    }
    problems = {
        "partial_update": (InvalidInput, VersionMismatch),
        "change_password": (InvalidInput, TokenNotValid),
        "verify_email": (EmailAlreadyVerified,),
        "change_email": (InvalidInput,),
    }
    queryset = CustomUser.objects.none()
    serializer_class = OwnUserSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        summary="Read my account", parameters=[IF_NONE_MATCH], responses={200: OwnUserSerializer, 304: NOT_MODIFIED}
    )
    def retrieve(self, request: Request) -> Response:
        user = CustomUser.objects.with_pending_email(self.now).get(pk=self.caller.pk)
        return versioned(request, self.get_serializer(user).data, user.profile.version)

    @extend_schema(
        summary="Change my account", parameters=[IF_MATCH], request=OwnAccountSerializer, responses=OwnUserSerializer
    )
    def partial_update(self, request: Request) -> Response:
        body = OwnAccountSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        user = services.update_own_account(
            user_id=self.caller.pk,
            changes=body.validated_data,
            expected=expected_version(request),
            actor=self.caller,
            now=self.now,
        )
        user = CustomUser.objects.with_pending_email(self.now).get(pk=user.pk)
        return versioned(request, self.get_serializer(user).data, user.profile.version)

    @extend_schema(
        summary="Change my password",
        description="Ends every older token; go on with the pair in the answer.",
        request=PasswordChangeSerializer,
        responses=TokenPairSerializer,
    )
    def change_password(self, request: Request) -> Response:
        body = PasswordChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        pair = services.change_password(
            user_id=self.caller.pk,
            session_id=session_id_of(request),
            actor=self.caller,
            now=self.now,
            **body.validated_data,
        )
        return _answer(pair)

    @extend_schema(
        summary="Send me a new link to confirm my e-mail address",
        description="The link before ends.",
        request=None,
        responses={202: None},
    )
    def verify_email(self, request: Request) -> Response:
        services.resend_verification(user_id=self.caller.pk, now=self.now)
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Ask for another e-mail address",
        description="Nothing changes until the link that is mailed to the new address is used.",
        request=EmailChangeSerializer,
        responses={202: PendingEmailSerializer},
    )
    def change_email(self, request: Request) -> Response:
        body = _checked(EmailChangeSerializer, request)
        services.request_email_change(user_id=self.caller.pk, actor=self.caller, now=self.now, **body)
        return Response(PendingEmailSerializer({"pending_email": body["email"]}).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Keep my e-mail address after all", operation_id="users_me_email_cancel", responses={204: None}
    )
    def cancel_email_change(self, request: Request) -> Response:
        services.cancel_email_change(user_id=self.caller.pk, actor=self.caller, now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(retrieve=extend_schema(summary="Read an organizer's public page"))
class OrganizerViewSet(mixins.RetrieveModelMixin, ApiViewSet):
    access = {"retrieve": Anyone}
    queryset = CustomUser.objects.none()
    serializer_class = OrganizerSerializer

    def get_queryset(self) -> QuerySet[CustomUser]:
        return CustomUser.objects.public_organizers().select_related("profile")


class TokenViewSet(ApiViewSet):
    authentication_classes = ()  # looks at no token but the one it is about
    access = {"sign_in": Anyone, "refresh": Anyone, "verify": Anyone, "sign_out": Anyone}
    problems = {
        "sign_in": (InvalidCredentials, EmailNotVerified),
        "refresh": (TokenNotValid,),
        "verify": (TokenNotValid,),
        "sign_out": (TokenNotValid,),
    }
    serializer_class = TokenPairSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(summary="Sign in", request=SignInSerializer, responses=TokenPairSerializer)
    def sign_in(self, request: Request) -> Response:
        body = _checked(SignInSerializer, request)
        pair = services.sign_in(
            login=body["username"],
            password=body["password"],
            address=client_address(request),
            user_agent=request.headers.get("User-Agent", ""),
            now=self.now,
        )
        return _answer(pair)

    @extend_schema(summary="Refresh my tokens", request=RefreshSerializer, responses=TokenPairSerializer)
    def refresh(self, request: Request) -> Response:
        body = _checked(RefreshSerializer, request)
        return _answer(services.refresh_tokens(token=body["refresh"], now=self.now))

    @extend_schema(summary="Ask whether a token is good", request=TokenSerializer, responses=TokenStateSerializer)
    def verify(self, request: Request) -> Response:
        body = _checked(TokenSerializer, request)
        claims = services.verify_token(token=body["token"], now=self.now)
        return Response(TokenStateSerializer({"token_type": claims.kind, "expires_at": claims.expires_at}).data)

    @extend_schema(
        summary="Sign out",
        description="Ends the session of the `refresh` token in the body or, without one, of the bearer token.",
        request=SignOutSerializer,
        responses={204: None},
        auth=[{"bearer": []}, {}],  # type: ignore[list-item]  # security requirements, as the class would give
    )
    def sign_out(self, request: Request) -> Response:
        token = _checked(SignOutSerializer, request).get("refresh") or bearer_token(request)
        services.sign_out(token=token, now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MailedLinkViewSet(ApiViewSet):
    """What the links in mails lead to, and what has them sent. None of it tells who has an account."""

    authentication_classes = ()  # whoever has the link has it, signed in or not
    access = {"request_reset": Anyone, "reset": Anyone, "verify": Anyone, "confirm_change": Anyone}
    problems = {
        "reset": (LinkNotValid, InvalidInput),
        "verify": (LinkNotValid, UsernameTaken),
        "confirm_change": (LinkNotValid, EmailTaken),
    }
    serializer_class = ConfirmedAddressSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        summary="Ask for a link to set a new password",
        description="The same answer for every name and address. Whoever has an account gets a mail.",
        request=PasswordResetSerializer,
        responses={202: None},
    )
    def request_reset(self, request: Request) -> Response:
        body = _checked(PasswordResetSerializer, request)
        services.request_password_reset(
            login=body.get("email") or body["username"], address=client_address(request), now=self.now
        )
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Set a new password by a mailed link",
        description="Ends every session and confirms the e-mail address.",
        request=PasswordResetConfirmSerializer,
        responses={204: None},
    )
    def reset(self, request: Request) -> Response:
        services.reset_password(**_checked(PasswordResetConfirmSerializer, request), now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Confirm an e-mail address by a mailed link",
        description="Where registration waits for it, this makes the account.",
        request=AddressConfirmSerializer,
        responses=ConfirmedAddressSerializer,
    )
    def verify(self, request: Request) -> Response:
        body = _checked(AddressConfirmSerializer, request)
        user = services.confirm_address(token=body["token"], username=body.get("username"), now=self.now)
        return Response(self.get_serializer(user).data)

    @extend_schema(
        summary="Change to a new e-mail address by a mailed link",
        request=LinkTokenSerializer,
        responses=ConfirmedAddressSerializer,
    )
    def confirm_change(self, request: Request) -> Response:
        user = services.confirm_email_change(**_checked(LinkTokenSerializer, request), now=self.now)
        return Response(self.get_serializer(user).data)


def _checked(serializer: Any, request: Request) -> dict[str, Any]:
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    checked: dict[str, Any] = body.validated_data
    return checked


def _answer(pair: TokenPair) -> Response:
    # RFC 6749, section 5.1: tokens are not to be kept by caches.
    return Response(TokenPairSerializer(pair).data, headers={"Cache-Control": "no-store"})
