from unittest.mock import Mock

import pytest
from django.test import Client

from users import signals
from users.models import AccountLink, CustomUser, PasswordResetRequest, PendingRegistration, UserSession
from users.services import request_password_reset, request_registration
from users.services.links import MAILS_PER_HOUR
from users.tests.factories import (
    NOW,
    PASSWORD,
    a_client,
    a_link,
    a_session,
    a_user,
    an_admin,
    an_organizer,
    tokens_for,
)

pytestmark = pytest.mark.django_db

USERS = "/admin/users/customuser/"
SESSIONS = "/admin/users/usersession/"


def browser(user: CustomUser) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form_of(user: CustomUser, **changes: object) -> dict[str, object]:
    """Return what the page of an account posts when nothing but ``changes`` was typed."""
    form = {
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "user_type": user.user_type,
        "organizer_status": user.organizer_status,
        "profile-TOTAL_FORMS": 1,
        "profile-INITIAL_FORMS": 1,
        "profile-0-id": user.profile.pk,
        "profile-0-user": user.pk,
        "profile-0-timezone": "UTC",
        "profile-0-language": "en",
        "profile-0-interests": "[]",
        "profile-0-notification_preferences": "{}",
    }
    if user.user_type == "organizer":
        form |= {
            "organizer_profile-TOTAL_FORMS": 1,
            "organizer_profile-INITIAL_FORMS": 1,
            "organizer_profile-0-id": user.organizer_profile.pk,
            "organizer_profile-0-user": user.pk,
            "organizer_profile-0-invoice_prefix": user.organizer_profile.invoice_prefix,
        }
    if user.is_active:
        form["is_active"] = "on"
    form |= changes
    return {name: value for name, value in form.items() if value is not None}


@pytest.mark.parametrize("login", ["root", "ROOT@example.com"])
def test_are_entered_by_username_or_address(login: str):
    an_admin(username="root", email="root@example.com")
    client = Client()

    response = client.post("/admin/login/?next=/admin/", {"username": login, "password": PASSWORD})

    assert response.status_code == 302
    assert client.get(USERS).status_code == 200


def test_show_an_administrator_everything():
    admin, organizer, session = an_admin(), an_organizer(), a_session()
    client = browser(admin)

    for path in (
        USERS,
        f"{USERS}?q=user",
        f"{USERS}add/",
        f"{USERS}{organizer.pk}/change/",
        f"{USERS}{admin.pk}/change/",
        f"{USERS}{organizer.pk}/password/",
        f"{USERS}{organizer.pk}/history/",
        SESSIONS,
        f"{SESSIONS}?q=user",
        f"{SESSIONS}{session.pk}/change/",
    ):
        assert client.get(path).status_code == 200, path


def test_show_an_organizer_nothing_of_users():
    organizer, user = an_organizer(), a_user(username="somebody-else")
    client = browser(organizer)

    index = client.get("/admin/")

    assert index.status_code == 200
    assert "customuser" not in index.content.decode()
    for path in (USERS, f"{USERS}{user.pk}/change/", f"{USERS}{organizer.pk}/change/", f"{USERS}add/", SESSIONS):
        response = client.get(path)
        assert response.status_code == 403, path
        assert "somebody-else" not in response.content.decode()
    autocomplete = {"app_label": "users", "model_name": "usersession", "field_name": "user", "term": "some"}
    assert client.get("/admin/autocomplete/", autocomplete).status_code == 403


def test_let_nobody_else_in():
    response = browser(a_user()).get(USERS)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_change_a_role_with_all_that_follows():
    admin, user = an_admin(), a_user()
    pair = tokens_for(user)

    response = browser(admin).post(f"{USERS}{user.pk}/change/", form_of(user, user_type="organizer", first_name="Ada"))

    assert response.status_code == 302, response.context["errors"]
    user.refresh_from_db()
    assert (user.user_type, user.first_name, user.is_staff) == ("organizer", "Ada", True)
    assert [group.name for group in user.groups.all()] == ["organizers"]
    assert a_client(pair).get("/api/users/me/").status_code == 401
    assert user.profile.version > 1


def test_deactivate_through_the_service():
    admin, user = an_admin(), an_organizer()
    pair = tokens_for(user)

    response = browser(admin).post(f"{USERS}{user.pk}/change/", form_of(user, is_active=None))

    assert response.status_code == 302, response.context["errors"]
    user.refresh_from_db()
    assert not user.is_active
    assert a_client(pair).get("/api/users/me/").status_code == 401


def test_refuse_to_demote_oneself_and_say_so():
    admin = an_admin()

    response = browser(admin).post(
        f"{USERS}{admin.pk}/change/", form_of(admin, user_type="attendee", last_name="Kept"), follow=True
    )

    assert "ask another administrator" in response.content.decode()
    admin.refresh_from_db()
    assert (admin.user_type, admin.last_name) == ("admin", "Kept")


def test_add_an_account():
    form = {
        "username": "new",
        "email": "new@example.com",
        "user_type": "admin",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }

    response = browser(an_admin()).post(f"{USERS}add/", form)

    assert response.status_code == 302, response.context["errors"]
    user = CustomUser.objects.get(username="new")
    assert user.is_platform_admin
    assert user.is_superuser
    assert user.check_password(PASSWORD)
    assert user.profile.version >= 1


def test_refuse_a_name_that_looks_like_another():
    a_user(username="strasse")
    user = a_user()

    response = browser(an_admin()).post(f"{USERS}{user.pk}/change/", form_of(user, username="STRAßE"))

    assert response.status_code == 200
    assert "This username is taken." in response.content.decode()


def test_end_tokens_when_a_password_is_set():
    user = a_user()
    pair = tokens_for(user)
    form = {"usable_password": "true", "password1": "another pass phrase", "password2": "another pass phrase"}

    response = browser(an_admin()).post(f"{USERS}{user.pk}/password/", form)

    assert response.status_code == 302, response.context["errors"]
    assert a_client(pair).get("/api/users/me/").status_code == 401


def test_tell_and_sign_out_whoever_is_given_a_password():
    user, heard = a_user(), Mock()
    tokens_for(user)
    signals.password_changed.connect(heard)
    form = {"usable_password": "true", "password1": "another pass phrase", "password2": "another pass phrase"}
    url = f"{USERS}{user.pk}/password/"
    client = browser(an_admin())

    client.post(url, form | {"password2": "something else"})
    assert heard.call_count == 0
    client.post(url, form)

    signals.password_changed.disconnect(heard)
    assert [call.kwargs["user"] for call in heard.call_args_list] == [user]
    assert UserSession.objects.get().revoke_reason == "password_changed"
    user.refresh_from_db()
    assert user.check_password("another pass phrase")


def test_vouch_for_the_address_that_an_administrator_enters():
    user, moved, renamed = a_user(email="old@example.org", first_name="Ada"), Mock(), Mock()
    signals.email_changed.connect(moved)
    signals.user_renamed.connect(renamed)

    response = browser(an_admin()).post(f"{USERS}{user.pk}/change/", form_of(user, email="new@example.org"))

    signals.email_changed.disconnect(moved)
    signals.user_renamed.disconnect(renamed)
    assert response.status_code == 302, response.context["errors"]
    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert moved.call_args.kwargs["old_email"] == "old@example.org"
    assert renamed.call_count == 0


@pytest.mark.parametrize("changes", [{"username": "renamed"}, {"last_name": "King"}], ids=["username", "last_name"])
def test_tell_those_who_keep_names_of_a_new_one(changes: dict[str, str]):
    user, renamed = a_user(), Mock()
    signals.user_renamed.connect(renamed)

    browser(an_admin()).post(f"{USERS}{user.pk}/change/", form_of(user, **changes))

    signals.user_renamed.disconnect(renamed)
    assert [call.kwargs["user"].display_name for call in renamed.call_args_list] == list(changes.values())


def test_undo_no_password_that_was_set_since_the_page_was_read():
    user = a_user()
    form = form_of(user, last_name="King")
    user.set_password("another pass phrase")
    user.save()

    browser(an_admin()).post(f"{USERS}{user.pk}/change/", form)

    user.refresh_from_db()
    assert user.check_password("another pass phrase")
    assert user.last_name == "King"


def test_show_whose_address_waits_and_send_the_link_again():
    unverified, verified = a_user(), a_user(username="done", email_verified_at=NOW)
    a_link(unverified, "change_email", email="soon@example.org")
    client = browser(an_admin())

    assert "soon@example.org" in client.get(f"{USERS}{unverified.pk}/change/").content.decode()
    listed = client.get(f"{USERS}?verified=no").content.decode()
    assert unverified.username in listed
    assert ">done<" not in listed
    chosen = {"action": "send_verification", "_selected_action": [unverified.pk, verified.pk]}
    answer = client.post(USERS, chosen, follow=True).content.decode()

    assert "done: This e-mail address is confirmed already." in answer
    assert "Links on their way: 1." in answer
    assert AccountLink.objects.get(purpose="verify_email").user == unverified
    for _ in range(MAILS_PER_HOUR):
        answer = client.post(USERS, chosen, follow=True).content.decode()
    assert "was sent several links within the hour." in answer


def test_show_links_and_what_waits_and_change_none_of_it():
    """The rows hold no token; the admin shows no password's hash either."""
    link = a_link(a_user(), "verify_email")
    request_registration(username="ada", email="ada@example.org", password=PASSWORD, now=NOW)
    request_password_reset(login="somebody@example.org", address="192.0.2.1", now=NOW)
    client = browser(an_admin())

    for row in (link, PendingRegistration.objects.get(), PasswordResetRequest.objects.get()):
        pages = f"/admin/users/{row._meta.model_name}/"
        shown = client.get(pages).content + client.get(f"{pages}{row.pk}/change/").content
        assert str(row.pk).encode() in shown
        assert b"argon2" not in shown
        assert b"somebody@example.org" not in shown
        assert client.get(f"{pages}add/").status_code == 403
        assert client.post(f"{pages}{row.pk}/change/", {"email": "x@example.org"}).status_code == 403
        assert client.post(f"{pages}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert browser(an_organizer()).get(pages).status_code == 403


@pytest.mark.parametrize(("action", "status"), [("approve_organizers", "approved"), ("reject_organizers", "rejected")])
def test_decide_on_organizers_who_wait(action: str, status: str):
    """USR-3"""
    waiting = [an_organizer(organizer_status="pending") for _ in range(2)]
    client = browser(an_admin())
    listed = client.get(f"{USERS}?organizer_status__exact=pending").content.decode()
    assert all(organizer.username in listed for organizer in waiting)

    client.post(USERS, {"action": action, "_selected_action": [organizer.pk for organizer in waiting]})

    assert set(CustomUser.objects.filter(organizer_status=status)) == set(waiting)


def test_act_on_many_and_name_those_refused():
    admin = an_admin()
    waiting, attendee = an_organizer(organizer_status="pending"), a_user(username="no-organizer")

    response = browser(admin).post(
        USERS, {"action": "approve_organizers", "_selected_action": [waiting.pk, attendee.pk]}, follow=True
    )

    assert "no-organizer: This user is no organizer." in response.content.decode()
    waiting.refresh_from_db()
    assert waiting.organizer_status == "approved"


def test_deactivate_many_but_not_oneself():
    admin, users = an_admin(), [a_user(), a_user()]

    browser(admin).post(
        USERS, {"action": "deactivate", "_selected_action": [admin.pk, *[user.pk for user in users]]}, follow=True
    )

    assert set(CustomUser.objects.filter(is_active=True)) == {admin}


def test_neither_delete_accounts_nor_touch_sessions():
    session = a_session()
    client = browser(an_admin())

    assert client.post(f"{USERS}{session.user_id}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{SESSIONS}{session.pk}/change/", {"user_agent": "x"}).status_code == 403
    client.post(USERS, {"action": "delete_selected", "_selected_action": [session.user_id], "post": "yes"})

    assert UserSession.objects.filter(pk=session.pk, user_agent="").exists()
