import pytest

from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.races import at_once
from users.models import CustomUser
from users.services import set_organizer_status
from users.tests.factories import NOW, a_client, a_client_of, a_user, an_admin, an_organizer, tokens_for

pytestmark = pytest.mark.django_db

ME = "/api/users/me/"


def test_needs_a_sign_in():
    response = a_client().get(ME)

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_changes_what_people_tell_about_themselves():
    user = a_user()
    profile = {
        "phone": "+49 30 123456",
        "bio": "First line\nSecond line",
        "organization": "Analytical Engines",
        "website": "https://example.com/ada",
        "timezone": "Europe/Berlin",
        "language": "pt-BR",
        "interests": ["python", "databases"],
        "notification_preferences": {"survey": False},
    }

    response = a_client_of(user).patch(ME, {"first_name": "Ada", "last_name": "King", "profile": profile})

    assert response.status_code == 200
    assert response.json()["profile"] == profile | {"avatar": None}
    assert (response.json()["first_name"], response.json()["last_name"]) == ("Ada", "King")
    assert a_client_of(user).get(ME).json() == response.json()
    change = StatusChange.objects.get(subject_id=user.pk, subject_type="users.customuser")
    assert change.actor == f"user:{user.pk}"
    assert "phone" in change.note
    assert "123456" not in change.note


def test_leaves_what_is_not_sent():
    user = a_user(first_name="Ada")
    client = a_client_of(user)
    client.patch(ME, {"profile": {"bio": "Mathematician"}})

    response = client.patch(ME, {"profile": {"phone": "1"}})

    assert response.json()["first_name"] == "Ada"
    assert response.json()["profile"]["bio"] == "Mathematician"


@pytest.mark.parametrize(
    ("profile", "field", "code"),
    [
        ({"timezone": "Mars/Olympus"}, "profile.timezone", "unknown_timezone"),
        ({"timezone": "../etc/passwd"}, "profile.timezone", "unknown_timezone"),
        ({"language": "english please"}, "profile.language", "unknown_language"),
        ({"interests": ["x"] * 31}, "profile.interests", "invalid_list"),
        ({"interests": "python"}, "profile.interests", "not_a_list"),
        ({"interests": ["a\nb"]}, "profile.interests", "control_character"),
        ({"notification_preferences": {"Survey!": True}}, "profile.notification_preferences", "invalid_preferences"),
        ({"phone": "1\r\n2"}, "profile.phone", "control_character"),
        ({"bio": "x" * 2001}, "profile.bio", "max_length"),
        ("text", "profile", "invalid"),
        (None, "profile", "null"),
    ],
)
def test_refuses_what_cannot_be_true(profile: object, field: str, code: str):
    user = a_user()

    response = a_client_of(user).patch(ME, {"profile": profile})

    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]
    user.profile.refresh_from_db()
    assert user.profile.version == 1


@pytest.mark.parametrize(
    "website", ["https:alert(1)", "javascript:alert(1)", "javascript://example.com/%0aalert(1)", "ftp://example.com"]
)
def test_refuses_a_website_that_is_no_link_to_a_page(website: str):
    response = a_client_of(a_user()).patch(ME, {"profile": {"website": website}})

    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {"profile.website"}


def test_lets_organizers_say_who_sells():
    organizer = an_organizer()
    details = {
        "legal_name": "Ada GmbH",
        "legal_address": "Street 1\n12345 Town",
        "tax_id": "DE123",
        "invoice_prefix": "ADA-27",
    }

    response = a_client_of(organizer).patch(ME, details)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in details} == details


def test_keeps_sellers_details_from_attendees():
    response = a_client_of(a_user()).patch(ME, {"legal_name": "Ada GmbH", "invoice_prefix": "ADA"})

    assert response.status_code == 200
    assert response.json()["legal_name"] is None
    assert response.json()["invoice_prefix"] is None


@pytest.mark.parametrize("prefix", ["TAKEN", "EH999999"])
def test_refuses_a_prefix_that_is_or_will_be_somebody_elses(prefix: str):
    organizer, other = an_organizer(), an_organizer()
    a_client_of(other).patch(ME, {"invoice_prefix": "TAKEN"})

    response = a_client_of(organizer).patch(ME, {"first_name": "Changed", "invoice_prefix": prefix})

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "invoice_prefix_taken"
    organizer.refresh_from_db()
    assert organizer.first_name == ""
    assert organizer.organizer_profile.invoice_prefix == f"EH{organizer.pk}"


@pytest.mark.parametrize("prefix", ["", "a", "A B", "-A", "A-", "A" * 13, "Ä"])
def test_refuses_a_prefix_that_does_not_fit_a_number(prefix: str):
    response = a_client_of(an_organizer()).patch(ME, {"invoice_prefix": prefix})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "invoice_prefix"


class TestConditionally:
    def test_answers_304_to_those_who_have_it(self):
        client = a_client_of(a_user())
        tag = client.get(ME)["ETag"]

        response = client.get(ME, HTTP_IF_NONE_MATCH=tag)

        assert response.status_code == 304
        assert response.content == b""
        assert response["ETag"] == tag
        assert client.get(ME, HTTP_IF_NONE_MATCH='"0"').status_code == 200

    def test_changes_its_tag_with_every_edit(self):
        client = a_client_of(a_user())
        tag = client.get(ME)["ETag"]

        changed = client.patch(ME, {"first_name": "Ada"})

        assert changed["ETag"] != tag
        assert client.get(ME)["ETag"] == changed["ETag"]

    def test_changes_its_tag_when_an_administrator_decides(self):
        organizer = an_organizer()
        client = a_client_of(organizer)
        tag = client.get(ME)["ETag"]

        set_organizer_status(user_id=organizer.pk, organizer_status="rejected", actor=an_admin(), now=NOW)

        response = client.get(ME, HTTP_IF_NONE_MATCH=tag)
        assert response.status_code == 200
        assert response.json()["organizer_status"] == "rejected"

    @pytest.mark.parametrize("header", ["{tag}", "W/{tag}", '"7", {tag}', "*"])
    def test_takes_an_edit_of_what_was_read(self, header: str):
        client = a_client_of(a_user())
        tag = client.get(ME)["ETag"]

        response = client.patch(ME, {"first_name": "Ada"}, HTTP_IF_MATCH=header.format(tag=tag))

        assert response.status_code == 200

    @pytest.mark.parametrize("header", ['"0"', "nonsense", ""])
    def test_refuses_an_edit_of_anything_older(self, header: str):
        user = a_user()

        response = a_client_of(user).patch(ME, {"first_name": "Ada"}, HTTP_IF_MATCH=header)

        assert response.status_code == 412
        assert response.json()["code"] == "version_mismatch"
        user.refresh_from_db()
        assert user.first_name == ""

    @pytest.mark.django_db(transaction=True)
    def test_takes_one_of_eight_edits_at_once(self):
        user = a_user()
        tokens = tokens_for(user)
        tag = a_client(tokens).get(ME)["ETag"]

        answers = at_once(
            [
                lambda n=n: a_client(tokens).patch(ME, {"first_name": f"A{n}"}, HTTP_IF_MATCH=tag).status_code
                for n in range(8)
            ]
        )

        assert sorted(answers) == [200] + [412] * 7
        assert CustomUser.objects.get().profile.version == 2
