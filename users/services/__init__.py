"""What can be done with accounts and sign-ins."""

from users.services.accounts import (
    change_password,
    change_role,
    register_user,
    set_active,
    set_organizer_status,
    update_account,
    update_own_account,
)
from users.services.addresses import (
    answer_email_change,
    cancel_email_change,
    confirm_email_change,
    request_email_change,
    resend_verification,
    verify_email,
)
from users.services.avatars import remove_avatar, set_avatar
from users.services.inviting import accounts_of, invitations_for, invite
from users.services.links import mailed_link, mailed_registration
from users.services.passwords import answer_password_reset, request_password_reset, reset_password
from users.services.registering import answer_registration, confirm_address, request_registration
from users.services.signing_in import sign_in
from users.services.tokens import refresh_tokens, sign_out, verify_token

__all__ = [
    "accounts_of",
    "answer_email_change",
    "answer_password_reset",
    "answer_registration",
    "cancel_email_change",
    "change_password",
    "change_role",
    "confirm_address",
    "confirm_email_change",
    "invitations_for",
    "invite",
    "mailed_link",
    "mailed_registration",
    "refresh_tokens",
    "register_user",
    "remove_avatar",
    "request_email_change",
    "request_password_reset",
    "request_registration",
    "resend_verification",
    "reset_password",
    "set_active",
    "set_avatar",
    "set_organizer_status",
    "sign_in",
    "sign_out",
    "update_account",
    "update_own_account",
    "verify_email",
    "verify_token",
]
