"""Two spellings of one name, or of one address, are one."""
# ruff: noqa: RUF001  (ambiguous letters are what this is about)

import pytest

from users.models import CustomUser, comparison_key
from users.tests.factories import PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db

PAIRS = [
    ("fiona", "ﬁona"),  # the ligature fi
    ("strasse", "straße"),
    ("ada", "ADA"),
    ("ada", "ａｄａ"),  # full-width letters
    ("ada", "𝐚𝐝𝐚"),  # mathematical bold
    ("josé", "jose\u0301"),  # composed and decomposed
    ("σισυφος", "ΣΙΣΥΦΟΣ"),  # two lower-case sigmas
]


def register(username: str = "somebody", email: str = "somebody@example.com"):
    return a_client().post("/api/users/", {"username": username, "email": email, "password": PASSWORD})


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_are_refused_as_a_second_username(first: str, second: str):
    assert register(username=first).status_code == 201

    response = register(username=second, email="other@example.com")

    assert response.status_code == 400
    # A combining mark of its own is refused for what it is.
    assert response.json()["errors"][0]["code"] in {"username_taken", "invalid_username"}
    assert CustomUser.objects.count() == 1


@pytest.mark.parametrize("other", ["SOMEBODY@EXAMPLE.COM", "Somebody@example.com"])
def test_are_refused_as_a_second_address(other: str):
    assert register().status_code == 201

    response = register(username="other", email=other)

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "email_taken"


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if "\u0301" not in pair[1]])
def test_sign_in_the_same_person(first: str, second: str):
    a_user(username=first)

    response = a_client().post("/api/auth/token/", {"username": second, "password": PASSWORD})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "username",
    ["me@example.com", "me＠example.com", "me﹫example.com", "a b", "a\u200db", "", "a\nb", "a/b", "\u00ad"],
)
def test_are_never_taken_for_an_address_or_nothing(username: str):
    response = register(username=username)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["username"]
    assert not CustomUser.objects.exists()


def test_may_not_grow_beyond_their_column():
    response = register(username="ﷺ" * 100)  # 18 characters each when normalised

    assert response.status_code == 400


@pytest.mark.parametrize("text", ["ﬁ", "ß", "Ａ", "İ", "ǰ", "ᾳ", "ﷺ", "Σ", "ͅα"])
def test_have_a_key_that_is_its_own_key(text: str):
    assert comparison_key(comparison_key(text)) == comparison_key(text)


def test_keep_their_keys_when_only_the_name_is_saved():
    user = a_user(username="before")

    user.username = "ﬁner"
    user.save(update_fields=["username"])

    user.refresh_from_db()
    assert user.username_key == "finer"
