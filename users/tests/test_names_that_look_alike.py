"""Two spellings of one name, or of one address, are one."""
# ruff: noqa: RUF001  (ambiguous letters are what this is about)

import pytest
from django.db import IntegrityError

from eventhub_config.tests.races import at_once
from users.models import CustomUser, address_key, comparison_key
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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a@bücher.example", "a@xn--bcher-kva.example"),  # one domain in both of its spellings
        ("a@xn--bcher-kva.example", "A@BÜCHER.example"),
        ("a@mail.xn--bcher-kva.example", "a@mail.bu\u0308cher.example"),
        ("a@EXAMPLE.com", "a@example.COM"),
        ("ada@example.com", "ａｄａ@example.com"),
    ],
)
def test_are_one_address_and_one_sign_in(first: str, second: str):
    user = a_user(email=first)

    response = register(email=second)

    assert response.status_code == 400
    assert CustomUser.objects.count() == 1
    for login in (first, second):
        assert a_client().post("/api/auth/token/", {"username": login, "password": PASSWORD}).status_code == 200
    assert CustomUser.objects.with_email(second) == user
    with pytest.raises(IntegrityError):
        a_user(email=second)


@pytest.mark.parametrize(
    "domain", ["xn--", "xn--\udcff", "xn--0.example", "xn--99999999.example", "XN--BCHER-KVA.example"]
)
def test_have_a_key_whatever_is_typed(domain: str):
    key = address_key(f"a@{domain}")

    assert address_key(key) == key


@pytest.mark.django_db(transaction=True)
def test_make_one_account_when_they_register_at_the_same_moment():
    names = ["fiona", "ﬁona", "FIONA", "ｆｉｏｎａ", "𝐟𝐢𝐨𝐧𝐚", "Fiona"]
    addresses = ["a@bücher.example", "a@xn--bcher-kva.example", "A@bücher.example", "a@BÜCHER.example"]

    by_name = at_once([lambda n=n, i=i: register(n, f"f{i}@example.com").status_code for i, n in enumerate(names)])
    by_address = at_once([lambda a=a, i=i: register(f"name{i}", a).status_code for i, a in enumerate(addresses)])

    assert sorted(by_name) == [201] + [400] * 5
    assert sorted(by_address) == [201] + [400] * 3


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
