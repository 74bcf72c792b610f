"""Messages in the admin: nobody edits them; failed ones can be sent anew; organizers see their own only."""

from typing import Any

import pytest
from django.test import Client

from events.tests.factories import NOW
from notifications.models import Notification
from notifications.tests.factories import a_notification
from users.models import CustomUser
from users.tests.factories import an_admin, an_organizer

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/notification/"
GIVEN_UP: dict[str, Any] = {"status": "failed", "parked_at": NOW, "attempts": 8, "last_error": "550 no such mailbox"}


def signed_in_as(user: CustomUser) -> Client:
    client = Client()
    client.force_login(user, backend="users.backends.EmailOrUsernameBackend")
    return client


def run(client: Client, action: str, *rows: Notification) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_administrators_resend_what_failed_and_are_told_what_did_not() -> None:
    failed, unsent = a_notification(**GIVEN_UP), a_notification()

    response = run(signed_in_as(an_admin()), "resend_selected", failed, unsent)

    failed.refresh_from_db()
    unsent.refresh_from_db()
    assert (failed.status, failed.attempts, failed.parked_at) == ("unsent", 0, None)
    assert unsent.status == "unsent"
    assert f"{unsent.pk}: user_registered" in response.content.decode()
    assert "is unsent already" in response.content.decode()


def test_organizers_see_and_mark_their_own_only() -> None:
    organizer = an_organizer()
    own, other = a_notification(user=organizer), a_notification()
    client = signed_in_as(organizer)

    page = client.get(LIST).content.decode()
    run(client, "mark_selected_as_read", own, other)

    own.refresh_from_db()
    other.refresh_from_db()
    assert f"{LIST}{own.pk}/change/" in page
    assert f"{LIST}{other.pk}/change/" not in page
    assert client.get(f"{LIST}{other.pk}/change/", follow=True).redirect_chain != []
    assert (own.is_read, other.is_read) == (True, False)


def test_organizers_cannot_resend() -> None:
    organizer = an_organizer()
    own = a_notification(user=organizer, **GIVEN_UP)

    run(signed_in_as(organizer), "resend_selected", own)

    own.refresh_from_db()
    assert own.status == "failed"


def test_nobody_edits_adds_or_deletes() -> None:
    message = a_notification()
    client = signed_in_as(an_admin())

    assert client.get(f"{LIST}{message.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{message.pk}/change/", {"status": "sent"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{message.pk}/delete/", {"post": "yes"}).status_code == 403
    message.refresh_from_db()
    assert message.status == "unsent"


def test_it_can_be_searched() -> None:
    message = a_notification()

    response = signed_in_as(an_admin()).get(LIST, {"q": message.dedupe_key, "status__exact": "unsent"})

    assert f"{LIST}{message.pk}/change/" in response.content.decode()


@pytest.mark.parametrize("chosen", ["abc", "", "\0", "9" * 30])
@pytest.mark.parametrize(
    ("address", "action"), [(LIST, "mark_selected_as_read"), ("/admin/users/customuser/", "deactivate")]
)
def test_a_forged_choice_changes_nothing(address: str, action: str, chosen: str) -> None:
    notification = a_notification()
    client = signed_in_as(an_admin())

    response = client.post(address, {"action": action, "_selected_action": [chosen]}, follow=True)

    assert response.status_code == 200
    assert "Choose rows of this list." in response.content.decode()
    notification.refresh_from_db()
    assert not notification.is_read
    assert not CustomUser.objects.filter(is_active=False).exists()
