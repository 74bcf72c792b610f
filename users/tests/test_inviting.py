"""Accounts for people who are invited: one per address, and a link by which they set a first password."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.hashers import is_password_usable

from eventhub_config.tests.races import at_once, outcomes
from users.models import AccountLink, CustomUser
from users.services import invitations_for, invite, reset_password
from users.services.links import LinkNotValid, token_of
from users.tests.factories import NOW, PASSWORD, a_client, a_user, an_organizer

pytestmark = pytest.mark.django_db

GUEST = "guest@example.org"


def invited(email: str = GUEST) -> CustomUser:
    [user] = invite(emails=[email], actor=an_organizer(), now=NOW).values()
    return user


def a_link_for(user: CustomUser, now: datetime = NOW) -> AccountLink:
    [link] = invitations_for(users=[user], now=now).values()
    return link


def test_an_account_is_made_for_an_address_that_has_none() -> None:
    user = invited("Guest@Example.ORG")

    assert (user.email, user.email_key, user.user_type) == ("Guest@example.org", GUEST, "attendee")
    assert (user.email_verified_at, is_password_usable(user.password)) == (None, False)
    assert user.profile.version == 1


def test_nobody_can_sign_in_to_it() -> None:
    user = invited()

    for password in ("", "!", user.password):
        answer = a_client().post("/api/auth/token/", {"username": user.username, "password": password})
        assert answer.status_code in {400, 401}


def test_an_address_that_has_one_keeps_it() -> None:
    user = a_user(email=GUEST)

    assert invited("GUEST@example.org") == user
    assert invitations_for(users=[user], now=NOW) == {}


def test_the_link_sets_a_first_password_and_confirms_the_address() -> None:
    user = invited()

    answer = a_client().post(
        "/api/auth/password/reset/confirm/", {"token": token_of(a_link_for(user)), "new_password": PASSWORD}
    )

    user.refresh_from_db()
    assert answer.status_code == 204
    assert user.email_verified_at is not None
    assert a_client().post("/api/auth/token/", {"username": GUEST, "password": PASSWORD}).status_code == 200
    assert invitations_for(users=[user], now=NOW) == {}


def test_the_link_works_once_and_for_thirty_days() -> None:
    user = invited()
    token = token_of(a_link_for(user))

    with pytest.raises(LinkNotValid):
        reset_password(token=token, new_password=PASSWORD, now=NOW + timedelta(days=30))
    reset_password(token=token, new_password=PASSWORD, now=NOW + timedelta(days=30, seconds=-1))
    with pytest.raises(LinkNotValid):
        reset_password(token=token, new_password=PASSWORD, now=NOW)


def test_invited_again_the_first_link_goes_on_working() -> None:
    user = invited()

    assert a_link_for(user) == a_link_for(invited())


def test_after_its_time_there_is_a_new_one() -> None:
    user = invited()
    first = a_link_for(user)

    later = a_link_for(user, NOW + timedelta(days=30))

    first.refresh_from_db()
    assert later != first
    assert first.close_reason == "replaced"


def test_whoever_forgot_about_it_can_ask_for_a_password() -> None:
    from users.models import PasswordResetRequest
    from users.services import answer_password_reset, request_password_reset

    user = invited()
    request_password_reset(login=GUEST, address="127.0.0.1", now=NOW)
    answer_password_reset(request_id=PasswordResetRequest.objects.get().pk, now=NOW)

    assert AccountLink.objects.get(user=user).purpose == "reset_password"


@pytest.mark.django_db(transaction=True)
def test_ten_invitations_at_once_make_one_account_each() -> None:
    organizer = an_organizer()
    emails = [f"guest{number}@example.org" for number in range(5)]

    results = at_once(
        [
            lambda them=them: invite(emails=them, actor=organizer, now=NOW)
            for them in [emails, list(reversed(emails))] * 5
        ]
    )

    assert outcomes(results) == {"ok": 10}
    assert CustomUser.objects.filter(email__endswith="@example.org").count() == 5
