"""USR-5: another e-mail address is confirmed before it counts, and nobody learns whose address is taken."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.utils import timezone

from eventhub_config.tests.races import at_once, outcomes
from users import signals
from users.models import AccountLink, CustomUser
from users.services import answer_email_change, confirm_email_change, request_email_change
from users.services.links import MAILS_PER_HOUR, token_of
from users.tests.factories import NOW, PASSWORD, a_client, a_client_of, a_link, a_user, tokens_for

pytestmark = pytest.mark.django_db

ME, CHANGE, CONFIRM = "/api/users/me/", "/api/users/me/email/", "/api/auth/email/confirm/"
NEW = {"email": "new@example.org", "current_password": PASSWORD}


def asked_for(user: CustomUser, email: str = "new@example.org") -> AccountLink:
    request_email_change(user_id=user.pk, email=email, current_password=PASSWORD, actor=user, now=NOW)
    return AccountLink.objects.get(user=user, closed_at=None)


def test_waits_for_the_link():
    user = a_user(email="old@example.org")
    client = a_client_of(user)

    response = client.post(CHANGE, NEW)

    assert (response.status_code, response.json()) == (202, {"pending_email": "new@example.org"})
    me = client.get(ME).json()
    assert (me["email"], me["pending_email"]) == ("old@example.org", "new@example.org")
    assert a_client().post("/api/auth/token/", {"username": "new@example.org", "password": PASSWORD}).status_code == 401


def test_is_done_by_the_link_and_ends_no_session():
    user = a_user(email="old@example.org", email_verified_at=None)
    pair = tokens_for(user)
    a_client(pair).post(CHANGE, NEW)

    response = a_client().post(CONFIRM, {"token": token_of(AccountLink.objects.get())})

    assert response.status_code == 200
    assert (response.json()["username"], response.json()["email"]) == (user.username, "new@example.org")
    me = a_client(pair).get(ME).json()
    assert (me["email"], me["pending_email"]) == ("new@example.org", None)
    assert me["email_verified_at"] is not None
    assert a_client().post("/api/auth/token/", {"username": "NEW@example.org", "password": PASSWORD}).status_code == 200
    assert a_client().post("/api/auth/token/", {"username": "old@example.org", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (NEW | {"current_password": "wrong"}, "current_password", "wrong_password"),
        ({"email": "new@example.org"}, "current_password", "required"),
        (NEW | {"email": "no address"}, "email", "invalid"),
        (NEW | {"email": "OLD@example.ORG"}, "email", "same_email"),
        (NEW | {"email": f"{'a' * 250}@example.org"}, "email", "max_length"),
    ],
)
def test_is_refused(body: dict[str, str], field: str, code: str):
    user = a_user(email="old@example.org")

    response = a_client_of(user).post(CHANGE, body)

    assert response.status_code == 400
    assert (field, code) in {(error["field"], error["code"]) for error in response.json()["errors"]}
    assert not AccountLink.objects.exists()


def test_gives_no_unlimited_guesses_at_the_password(settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 2
    client = a_client_of(a_user())

    answers = [client.post(CHANGE, NEW | {"current_password": "wrong"}).status_code for _ in range(3)]

    assert answers == [400, 400, 429]


def test_can_be_asked_for_some_times_an_hour():
    client = a_client_of(a_user())

    answers = [client.post(CHANGE, NEW | {"email": f"a{n}@example.org"}).status_code for n in range(MAILS_PER_HOUR + 1)]

    assert answers == [202] * MAILS_PER_HOUR + [429]
    assert AccountLink.objects.filter(closed_at=None).get().email == f"a{MAILS_PER_HOUR - 1}@example.org"


def test_can_be_taken_back():
    user = a_user()
    client = a_client_of(user)
    client.post(CHANGE, NEW)
    token = token_of(AccountLink.objects.get())

    assert client.delete(CHANGE).status_code == 204
    assert client.delete(CHANGE).status_code == 204  # nothing left to take back

    assert client.get(ME).json()["pending_email"] is None
    assert a_client().post(CONFIRM, {"token": token}).json()["code"] == "link_not_valid"
    assert AccountLink.objects.get().close_reason == "cancelled"


def test_is_pending_no_more_when_its_time_is_over_or_the_password_is_new():
    for end in ("time", "password"):
        user = a_user()
        a_link(user, "change_email", email="x@example.org", now=timezone.now() - timedelta(hours=24 * (end == "time")))
        if end == "password":
            user.set_password("another pass phrase")
            user.save()

        assert a_client_of(user).get(ME).json()["pending_email"] is None


@pytest.mark.parametrize("taken", [False, True])
def test_looks_the_same_whether_the_address_is_taken(taken: bool, django_assert_num_queries):
    if taken:
        a_user(email="new@example.org")
    user = a_user()
    client = a_client_of(user)
    client.post(CHANGE, NEW | {"email": "other@example.org"})  # whatever is done once per process is done

    with django_assert_num_queries(14):
        response = client.post(CHANGE, NEW)

    assert (response.status_code, response.json()) == (202, {"pending_email": "new@example.org"})
    assert client.get(ME).json()["pending_email"] == "new@example.org"


@pytest.mark.parametrize("taken", [False, True])
def test_writes_to_the_new_address_by_a_worker(taken: bool):
    owner = a_user(email="new@example.org") if taken else None
    link = asked_for(a_user())
    to_mail, in_use = Mock(), Mock()
    signals.account_link_owed.connect(to_mail)
    signals.address_in_use.connect(in_use)

    for _ in range(2):
        answer_email_change(link_id=link.pk, now=NOW)

    signals.account_link_owed.disconnect(to_mail)
    signals.address_in_use.disconnect(in_use)
    assert (to_mail.call_count, in_use.call_count) == ((0, 1) if taken else (1, 0))
    if taken:
        assert in_use.call_args.kwargs["user"] == owner


def test_is_refused_when_somebody_else_was_quicker():
    first, second = a_user(), a_user(email="old@example.org")
    links = [asked_for(user) for user in (first, second)]
    confirm_email_change(token=token_of(links[0]), now=NOW)

    response = a_client().post(CONFIRM, {"token": token_of(links[1])})

    assert (response.status_code, response.json()["code"]) == (409, "email_taken")
    second.refresh_from_db()
    assert second.email == "old@example.org"


@pytest.mark.django_db(transaction=True)
def test_gives_an_address_to_one_of_many_at_once():
    tokens = [token_of(asked_for(a_user())) for _ in range(8)]

    results = at_once([lambda token=token: confirm_email_change(token=token, now=NOW) for token in tokens])

    assert outcomes(results) == {"ok": 1, "email_taken": 7}
    assert CustomUser.objects.filter(email="new@example.org").count() == 1
    assert AccountLink.objects.filter(close_reason="used").count() == 1


def test_tells_those_who_keep_names_when_a_name_changes_and_only_then():
    heard = Mock()
    signals.user_renamed.connect(heard)
    user = a_user(username="ada")
    client = a_client_of(user)

    client.patch(ME, {"profile": {"bio": "Mathematician"}})
    client.patch(ME, {"first_name": "", "last_name": ""})
    assert heard.call_count == 0
    client.patch(ME, {"first_name": "Ada"})
    client.patch(ME, {"first_name": "Ada"})

    signals.user_renamed.disconnect(heard)
    assert [call.kwargs["user"].display_name for call in heard.call_args_list] == ["Ada"]
