"""Links by mail end at once when their reason ends. (USR-4, RELIABILITY H5)"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from eventhub_config.shared.errors import DomainError
from users.jobs import purge_account_links
from users.models import AccountLink, CustomUser, PasswordResetRequest, PendingRegistration
from users.services import (
    change_password,
    change_role,
    confirm_address,
    confirm_email_change,
    mailed_link,
    request_email_change,
    reset_password,
    set_active,
)
from users.services.links import LinkNotValid, token_of
from users.tests.factories import NOW, PASSWORD, a_link, a_user, an_admin

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another pass phrase"
PURPOSES = ["verify_email", "reset_password", "change_email"]


def use(token: str, purpose: str, *, now=NOW) -> None:
    if purpose == "reset_password":
        reset_password(token=token, new_password="a third pass phrase", now=now)
    elif purpose == "verify_email":
        confirm_address(token=token, username=None, now=now)
    else:
        confirm_email_change(token=token, now=now)


def a_link_for(user: CustomUser, purpose: str) -> AccountLink:
    return a_link(user, purpose, email="new@example.org" if purpose == "change_email" else "", now=NOW)


def state(user: CustomUser) -> Mapping[str, object]:
    return CustomUser.objects.values("email", "password", "email_verified_at").get(pk=user.pk)


def change_the_password(user: CustomUser) -> None:
    change_password(
        user_id=user.pk, current_password=PASSWORD, new_password=NEW_PASSWORD, session_id=None, actor=user, now=NOW
    )


def set_a_password_elsewhere(user: CustomUser) -> None:
    user.set_password(NEW_PASSWORD)
    user.save()


def deactivate(user: CustomUser) -> None:
    set_active(user_id=user.pk, is_active=False, actor=an_admin(), now=NOW)


def deactivate_and_activate(user: CustomUser) -> None:
    deactivate(user)
    set_active(user_id=user.pk, is_active=True, actor=an_admin(), now=NOW)


def change_the_role(user: CustomUser) -> None:
    change_role(user_id=user.pk, user_type="organizer", actor=an_admin(), now=NOW)


def delete(user: CustomUser) -> None:
    user.delete()


REASONS = [
    change_the_password,
    set_a_password_elsewhere,
    deactivate,
    deactivate_and_activate,
    change_the_role,
    delete,
]


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.__name__)
def test_with_whatever_ends_their_users_tokens(reason: Callable[[CustomUser], None], purpose: str):
    user = a_user()
    link = a_link_for(user, purpose)
    token = token_of(link)
    pk = user.pk
    reason(user)
    before = CustomUser.objects.filter(pk=pk).values("email", "password", "email_verified_at").first()

    with pytest.raises(LinkNotValid):
        use(token, purpose)

    assert CustomUser.objects.filter(pk=pk).values("email", "password", "email_verified_at").first() == before
    assert mailed_link(link_id=link.pk, now=NOW) is None


@pytest.mark.parametrize("purpose", PURPOSES)
def test_with_their_use(purpose: str):
    user = a_user()
    token = token_of(a_link_for(user, purpose))
    use(token, purpose)
    before = state(user)

    with pytest.raises(LinkNotValid):
        use(token, purpose)

    assert state(user) == before
    link = AccountLink.objects.get()
    assert (link.closed_at, link.close_reason) == (NOW, "used")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_with_a_newer_one_of_their_purpose_and_no_other(purpose: str):
    user = a_user()
    old = a_link_for(user, purpose)
    others = [a_link_for(user, other) for other in PURPOSES if other != purpose]
    new = a_link_for(user, purpose)

    with pytest.raises(LinkNotValid):
        use(token_of(old), purpose)

    old.refresh_from_db()
    assert old.close_reason == "replaced"
    assert all(mailed_link(link_id=link.pk, now=NOW) for link in [new, *others])
    use(token_of(new), purpose)


@pytest.mark.parametrize(
    ("purpose", "lasts"),
    [
        ("verify_email", timedelta(days=3)),
        ("reset_password", timedelta(hours=1)),
        ("change_email", timedelta(days=1)),
    ],
)
def test_with_their_time(purpose: str, lasts: timedelta):
    early, late = a_user(), a_user()
    good = token_of(a_link(early, purpose, email="" if purpose != "change_email" else "a@example.org", now=NOW))
    bad = token_of(a_link(late, purpose, email="" if purpose != "change_email" else "b@example.org", now=NOW))

    use(good, purpose, now=NOW + lasts - timedelta(seconds=1))
    with pytest.raises(LinkNotValid):
        use(bad, purpose, now=NOW + lasts)


@pytest.mark.parametrize("purpose", ["verify_email", "reset_password"])
def test_when_their_user_has_another_address(purpose: str):
    """Whoever reads the old mailbox has no part in the account any more."""
    user = a_user(email="old@example.org")
    token = token_of(a_link(user, purpose, now=NOW))
    use(token_of(a_link(user, "change_email", email="new@example.org", now=NOW)), "change_email")
    before = state(user)

    with pytest.raises(LinkNotValid):
        use(token, purpose)

    assert state(user) == before


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("other", PURPOSES)
def test_never_serve_another_purpose(purpose: str, other: str):
    if purpose == other:
        return
    user = a_user()
    token = token_of(a_link_for(user, purpose))
    before = state(user)

    with pytest.raises(LinkNotValid):
        use(token, other)

    assert state(user) == before


@pytest.mark.parametrize(
    "change", [str.upper, str.swapcase, "{}x".format, " {}".format, lambda token: token[1:], "".format, "a.b".format]
)
def test_are_refused_when_anything_was_changed(change: Callable[[str], str]):
    user = a_user()
    token = token_of(a_link_for(user, "reset_password"))

    with pytest.raises(LinkNotValid):
        use(change(token), "reset_password")


def test_do_not_begin_to_work_again_when_their_number_is_given_out_anew():
    """After a restored backup, say."""
    user, other = a_user(), a_user()
    old = a_link_for(user, "reset_password")
    token, pk = token_of(old), old.pk
    old.delete()
    AccountLink.objects.filter(pk=a_link(other, "reset_password", now=NOW + timedelta(seconds=1)).pk).update(id=pk)

    with pytest.raises(LinkNotValid):
        use(token, "reset_password", now=NOW + timedelta(seconds=2))


def test_are_the_same_each_time_their_mail_is_put_together():
    link = a_link_for(a_user(), "verify_email")

    first, second = mailed_link(link_id=link.pk, now=NOW), mailed_link(link_id=link.pk, now=NOW + timedelta(hours=5))

    assert first == second is not None


def test_are_purged_with_all_that_waited_for_them():
    user = a_user()
    a_link_for(user, "verify_email")
    request_email_change(
        user_id=user.pk, email="new@example.org", current_password=PASSWORD, actor=user, now=NOW + timedelta(days=29)
    )
    common = {"password": "!", "user_type": "attendee", "created_at": NOW}
    for days in (3, 40):
        PendingRegistration.objects.create(username=f"u{days}", expires_at=NOW + timedelta(days=days), **common)
    for hours in (0, 32 * 24 + 20):
        PasswordResetRequest.objects.create(login="x", created_at=NOW + timedelta(hours=hours))

    assert purge_account_links(NOW + timedelta(days=33, minutes=1)) == 3

    assert [link.purpose for link in AccountLink.objects.all()] == ["change_email"]
    assert [pending.username for pending in PendingRegistration.objects.all()] == ["u40"]
    assert PasswordResetRequest.objects.count() == 1


def test_say_one_thing_whatever_is_wrong():
    assert issubclass(LinkNotValid, DomainError)
    assert (LinkNotValid.status, LinkNotValid.code) == (400, "link_not_valid")
