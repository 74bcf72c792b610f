import pytest
from django.test import Client

from users.models import CustomUser, UserSession
from users.tests.factories import PASSWORD, a_client, a_session, a_user, an_admin, an_organizer, tokens_for

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
