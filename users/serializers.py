"""The shape of accounts and tokens in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from eventhub_config.shared.fields import ChoiceField, ModelSerializer, MomentField
from eventhub_config.shared.images.addresses import ImageUrlsField
from eventhub_config.shared.validators import validate_short_texts, validate_single_line
from users.models import (
    EMAIL_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    CustomUser,
    UserProfile,
    validate_email_key,
    validate_invoice_prefix,
    validate_preferences,
    validate_username,
)
from users.services.accounts import SELF_SERVICE_TYPES

# Bounds the work of hashing; NIST SP 800-63B asks for at least 64.
PASSWORD_MAX_LENGTH = 256
REGISTRATION_TYPES = [(kind.value, kind.label) for kind in SELF_SERVICE_TYPES]


class PasswordField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            trim_whitespace=False,
            max_length=PASSWORD_MAX_LENGTH,
            style={"input_type": "password"},
            **kwargs,
        )


class ProfileSerializer(ModelSerializer):
    avatar = ImageUrlsField(source="avatar_id")
    interests = serializers.ListField(child=serializers.CharField(), required=False, validators=[validate_short_texts])
    notification_preferences = serializers.DictField(
        child=serializers.BooleanField(),
        required=False,
        validators=[validate_preferences],
        help_text="By type of notification, whether it is also sent by e-mail; what is not named is sent.",
    )

    class Meta:
        model = UserProfile
        fields = [
            "phone", "bio", "organization", "website", "avatar", "timezone", "language", "interests",
            "notification_preferences",
        ]  # fmt: skip


class UserSerializer(ModelSerializer):
    """An account as its owner and administrators see it."""

    organizer_status = serializers.SerializerMethodField(help_text="Null unless an organizer.")
    email_verified_at = MomentField(allow_null=True, help_text="Null until somebody has shown to read its mail.")
    profile = ProfileSerializer()
    legal_name = serializers.CharField(source="organizer_profile.legal_name", allow_null=True)
    legal_address = serializers.CharField(source="organizer_profile.legal_address", allow_null=True)
    tax_id = serializers.CharField(source="organizer_profile.tax_id", allow_null=True)
    invoice_prefix = serializers.CharField(source="organizer_profile.invoice_prefix", allow_null=True)

    class Meta:
        model = CustomUser
        fields = [
            "id", "username", "email", "email_verified_at", "first_name", "last_name", "user_type", "organizer_status",
            "is_active", "date_joined", "profile", "legal_name", "legal_address", "tax_id", "invoice_prefix",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(CustomUser.OrganizerStatus.choices, allow_null=True))
    def get_organizer_status(self, user: CustomUser) -> str | None:
        return user.organizer_status or None


class OwnUserSerializer(UserSerializer):
    """An account as its owner sees it."""

    pending_email = serializers.EmailField(
        read_only=True, allow_null=True, help_text="The address that waits for its link to be used, if there is one."
    )

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "pending_email"]
        read_only_fields = fields


class RegistrationSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=USERNAME_MAX_LENGTH, validators=[validate_username])
    email = serializers.EmailField(max_length=EMAIL_MAX_LENGTH, validators=[validate_email_key])
    password = PasswordField()
    user_type = ChoiceField(REGISTRATION_TYPES, default=CustomUser.UserType.ATTENDEE)
    first_name = serializers.CharField(max_length=150, allow_blank=True, default="", validators=[validate_single_line])
    last_name = serializers.CharField(max_length=150, allow_blank=True, default="", validators=[validate_single_line])


class OwnAccountSerializer(ModelSerializer):
    """What people may change about themselves; the last four for organizers only."""

    profile = ProfileSerializer(required=False)
    legal_name = serializers.CharField(
        max_length=200, allow_blank=True, required=False, validators=[validate_single_line]
    )
    legal_address = serializers.CharField(max_length=500, allow_blank=True, required=False)
    tax_id = serializers.CharField(max_length=40, allow_blank=True, required=False, validators=[validate_single_line])
    invoice_prefix = serializers.CharField(max_length=12, required=False, validators=[validate_invoice_prefix])

    class Meta:
        model = CustomUser
        fields = ["first_name", "last_name", "profile", "legal_name", "legal_address", "tax_id", "invoice_prefix"]


class AccountChangeSerializer(serializers.Serializer[Any]):
    """What administrators may change about an account."""

    user_type = ChoiceField(CustomUser.UserType.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    organizer_status = ChoiceField(CustomUser.OrganizerStatus.choices, required=False)


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class RegistrationAcceptedSerializer(serializers.Serializer[Any]):
    """The same for every address, whether it has an account or not."""

    email = serializers.EmailField(help_text="We have written to it. The account is made when the link there is used.")


class PasswordResetSerializer(serializers.Serializer[Any]):
    """One of the two says whose password."""

    email = serializers.CharField(max_length=EMAIL_MAX_LENGTH, required=False)
    username = serializers.CharField(
        max_length=EMAIL_MAX_LENGTH, required=False, help_text="The user name; here, too, the e-mail address will do."
    )

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"email": "Send an e-mail address or a username."}, "required")
        return attrs


class LinkTokenField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=500, write_only=True, help_text="As it stands in the link that was mailed.")


class PasswordResetConfirmSerializer(serializers.Serializer[Any]):
    token = LinkTokenField()
    new_password = PasswordField()


class AddressConfirmSerializer(serializers.Serializer[Any]):
    token = LinkTokenField()
    username = serializers.CharField(
        max_length=USERNAME_MAX_LENGTH,
        validators=[validate_username],
        required=False,
        help_text="Instead of the one in the registration, after `username_taken`.",
    )


class LinkTokenSerializer(serializers.Serializer[Any]):
    token = LinkTokenField()


class ConfirmedAddressSerializer(serializers.Serializer[CustomUser]):
    """Whose address was confirmed. Nobody is signed in by a link."""

    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    email_verified_at = MomentField(read_only=True)


class EmailChangeSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=EMAIL_MAX_LENGTH, validators=[validate_email_key])
    current_password = PasswordField()


class PendingEmailSerializer(serializers.Serializer[Any]):
    pending_email = serializers.EmailField()


class OrganizerSerializer(serializers.Serializer[CustomUser]):
    """What everybody may know about an organizer."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    bio = serializers.CharField(source="profile.bio", read_only=True)
    organization = serializers.CharField(source="profile.organization", read_only=True)
    website = serializers.CharField(source="profile.website", read_only=True)
    avatar = ImageUrlsField(source="profile.avatar_id")


class SignInSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=EMAIL_MAX_LENGTH, help_text="The user name or the e-mail address.")
    password = PasswordField()


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="For `Authorization: Bearer ...`; short-lived.")
    refresh = serializers.CharField(help_text="For one refresh, which answers with its successor.")


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=2000)


class SignOutSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=2000, required=False)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=2000)


class TokenStateSerializer(serializers.Serializer[Any]):
    token_type = ChoiceField(["access", "refresh"])
    expires_at = MomentField()
