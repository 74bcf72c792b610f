import pytest

from users.models import CustomUser
from users.tests.factories import a_client, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db


def page(user: CustomUser):
    return a_client().get(f"/api/organizers/{user.pk}/")


def test_tell_everybody_name_and_bio_and_nothing_else():
    organizer = an_organizer(first_name="Ada", last_name="King")
    organizer.profile.bio = "Mathematician"
    organizer.profile.save()

    response = page(organizer)

    assert response.status_code == 200
    assert response.json() == {
        "id": organizer.pk,
        "name": "Ada King",
        "bio": "Mathematician",
        "organization": "",
        "website": "",
        "avatar": None,
    }


def test_fall_back_to_the_username():
    assert page(an_organizer(username="ada")).json()["name"] == "ada"


@pytest.mark.parametrize(
    "somebody",
    [
        a_user,
        an_admin,
        lambda: an_organizer(is_active=False),
        lambda: an_organizer(organizer_status="pending"),
        lambda: an_organizer(organizer_status="rejected"),
    ],
    ids=["attendee", "admin", "inactive", "pending", "rejected"],
)
def test_of_others_do_not_exist(somebody):
    nobody = a_client().get("/api/organizers/999999999/")

    response = page(somebody())

    assert response.status_code == nobody.status_code == 404
    assert response.json() | {"request_id": ""} == nobody.json() | {"request_id": ""}
