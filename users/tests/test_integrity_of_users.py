import pytest
from django.contrib.auth.models import Group

from users.integrity import CHECKS
from users.models import CustomUser, OrganizerProfile, UserProfile, UserSession
from users.tests.factories import NOW, a_session, a_user, an_admin, an_organizer

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
