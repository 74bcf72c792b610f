import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from users.integrity import CHECKS
from users.models import AccountLink, CustomUser, OrganizerProfile, PasswordResetRequest, UserProfile, UserSession
from users.tests.factories import NOW, a_link, a_session, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db


def findings() -> list[tuple[str, str]]:
    return [(finding.check, finding.subject) for check in CHECKS for finding in check.findings()]


def test_holds_for_what_we_make():
    for make in (a_user, an_organizer, an_admin, a_session):
        make()

    assert findings() == []


def test_notices_a_group_that_does_not_follow_from_the_role():
    user, organizer = a_user(), an_organizer()
    user.groups.add(Group.objects.get(name="organizers"))
    organizer.groups.clear()

    assert sorted(findings()) == [("user_groups", f"user {user.pk}"), ("user_groups", f"user {organizer.pk}")]


def test_notices_a_missing_profile():
    user, organizer = a_user(), an_organizer()
    UserProfile.objects.filter(user=user).delete()
    OrganizerProfile.objects.filter(user=organizer).delete()

    assert findings() == [("user_belongings", f"user {user.pk}"), ("user_belongings", f"user {organizer.pk}")]


def test_notices_keys_that_were_passed_by():
    user = a_user()
    CustomUser.objects.filter(pk=user.pk).update(username="renamed")

    assert findings() == [("user_keys", f"user {user.pk}")]


def test_notices_a_session_that_ended_without_a_reason():
    session = a_session()
    UserSession.objects.filter(pk=session.pk).update(revoked_at=NOW)

    assert findings() == [("user_sessions", f"session {session.pk}")]


def test_notices_a_mail_that_was_given_up():
    request = PasswordResetRequest.objects.create(login="x", created_at=NOW, parked_at=NOW)

    assert findings() == [("user_mails", f"password reset request {request.pk}")]


def test_notices_a_link_that_ended_before_it_was_made():
    link = a_link(a_user(), "verify_email", now=NOW)
    AccountLink.objects.update(expires_at=NOW)

    assert findings() == [("user_links", f"link {link.pk}")]


def test_is_kept_by_the_database_for_links():
    user = a_user()
    link = a_link(user, "verify_email", now=NOW)

    for broken in (
        {"purpose": "verify_email", "closed_at": None, "close_reason": ""},
        {"purpose": "reset_password", "closed_at": NOW, "close_reason": ""},
        {"purpose": "reset_password", "closed_at": None, "close_reason": "used"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            AccountLink.objects.create(
                user=user, email="a@b.c", token_version=1, created_at=NOW, expires_at=NOW, **broken
            )
    assert AccountLink.objects.get() == link
