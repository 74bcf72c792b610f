import pytest

from eventhub_config.shared.actors import System
from eventhub_config.shared.errors import Forbidden
from eventhub_config.shared.models import StatusChange
from users.models import CustomUser
from users.services import change_role, set_active, set_organizer_status
from users.tests.factories import NOW, a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize("path", ["/api/users/", "/api/users/1/", "/api/users/999999999/"])
def test_is_for_administrators_only(method: str, path: str):
    if (method, path) == ("patch", "/api/users/"):
        return

    assert getattr(a_client(), method)(path).status_code == 401
    for person in (a_user(), an_organizer()):
        response = getattr(a_client_of(person), method)(path)
        assert response.status_code == 403
        assert response.json()["code"] == "permission_denied"


def test_lists_accounts_in_pages():
    admin = an_admin()
    others = [a_user() for _ in range(3)]

    body = a_client_of(admin).get("/api/users/?page_size=2").json()

    assert body["count"] == 4
    assert [user["id"] for user in body["results"]] == [admin.pk, others[0].pk]
    assert "password" not in str(body)


def test_finds_filters_and_orders():
    admin = an_admin(username="zoe")
    ada = an_organizer(username="ada", email="first@example.com", first_name="Augusta")
    bob = a_user(username="bob", is_active=False)
    client = a_client_of(admin)

    def found(query: str) -> list[int]:
        return [user["id"] for user in client.get(f"/api/users/?{query}").json()["results"]]

    assert found("search=FIRST@") == [ada.pk]
    assert found("search=augus") == [ada.pk]
    assert found("user_type=organizer") == [ada.pk]
    assert found("organizer_status=approved") == [ada.pk]
    assert found("is_active=false") == [bob.pk]
    assert found("is_active=true") == [admin.pk, ada.pk]
    assert found("ordering=username") == [ada.pk, bob.pk, admin.pk]
    assert found("ordering=-username") == [admin.pk, bob.pk, ada.pk]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("is_active=maybe", "is_active"),
        ("user_type=king", "user_type"),
        ("ordering=password", "ordering"),
        ("password__startswith=a", "password__startswith"),
        ("_connector=OR", "_connector"),
        ("page=0", "page"),
    ],
)
def test_refuses_a_filter_that_there_is_not(query: str, field: str):
    response = a_client_of(an_admin()).get(f"/api/users/?{query}")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_changes_role_and_leaves_history():
    admin, user = an_admin(), a_user()

    response = a_client_of(admin).patch(f"/api/users/{user.pk}/", {"user_type": "organizer"})

    assert response.status_code == 200
    assert response.json()["user_type"] == "organizer"
    assert response.json()["invoice_prefix"] == f"EH{user.pk}"
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, False)
    change = StatusChange.objects.get(subject_id=user.pk, subject_type="users.customuser")
    assert (change.from_status, change.to_status, change.actor) == ("attendee", "organizer", f"user:{admin.pk}")


def test_takes_several_decisions_or_none():
    admin, user = an_admin(), a_user()
    client = a_client_of(admin)

    refused = client.patch(f"/api/users/{user.pk}/", {"is_active": False, "organizer_status": "approved"})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "not_an_organizer"
    user.refresh_from_db()
    assert user.is_active
    taken = client.patch(
        f"/api/users/{user.pk}/", {"user_type": "organizer", "organizer_status": "rejected", "is_active": False}
    )
    assert taken.status_code == 200
    assert (taken.json()["organizer_status"], taken.json()["is_active"]) == ("rejected", False)


@pytest.mark.parametrize("change", [{"user_type": "attendee"}, {"is_active": False}])
def test_spares_the_administrator_who_asks(change: dict[str, object]):
    admin = an_admin()
    client = a_client_of(admin)

    response = client.patch(f"/api/users/{admin.pk}/", change)

    assert response.status_code == 409
    assert response.json()["code"] == "own_account"
    assert client.get("/api/users/me/").json()["user_type"] == "admin"


def test_ends_no_tokens_when_nothing_changes():
    user = a_user()
    client = a_client_of(user)

    response = a_client_of(an_admin()).patch(f"/api/users/{user.pk}/", {"user_type": "attendee", "is_active": True})

    assert response.status_code == 200
    assert client.get("/api/users/me/").status_code == 200


def test_answers_404_for_nobody():
    response = a_client_of(an_admin()).patch("/api/users/999999999/", {"is_active": False})

    assert response.status_code == 404


@pytest.mark.parametrize("person", [a_user, an_organizer])
def test_is_not_done_by_others_through_the_services_either(person):
    actor, user = person(), a_user()

    with pytest.raises(Forbidden):
        change_role(user_id=user.pk, user_type="admin", actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        change_role(user_id=actor.pk, user_type="admin", actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        set_active(user_id=user.pk, is_active=False, actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        set_organizer_status(user_id=actor.pk, organizer_status="approved", actor=actor, now=NOW)

    assert not CustomUser.objects.filter(user_type="admin").exists()


def test_may_be_a_job_of_the_system():
    user = a_user()

    set_active(user_id=user.pk, is_active=False, actor=System("clean_up"), now=NOW)

    user.refresh_from_db()
    assert not user.is_active
    assert StatusChange.objects.get(subject_id=user.pk).actor == "system:clean_up"
