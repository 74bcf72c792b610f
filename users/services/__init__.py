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
from users.services.signing_in import sign_in
from users.services.tokens import refresh_tokens, sign_out, verify_token

__all__ = [
    "change_password",
    "change_role",
    "refresh_tokens",
    "register_user",
    "set_active",
    "set_organizer_status",
    "sign_in",
    "sign_out",
    "update_account",
    "update_own_account",
    "verify_token",
]
