"""Where no front end is, links in mails lead to pages of our own that people and screen readers can use."""

import re
from html.parser import HTMLParser

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from users.models import AccountLink, CustomUser, PasswordResetRequest, PendingRegistration
from users.services import request_registration
from users.services.links import mailed_link, token_of
from users.tests.factories import NOW, PASSWORD, a_link, a_user

pytestmark = pytest.mark.django_db

PAGES = ["verify-email", "confirm-email", "reset-password", "forgot-password"]
NEW_PASSWORD = "another pass phrase"


class Form(HTMLParser):
    """The form of a page: where it is sent, what it holds, and what labels its controls."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.method = self.action = ""
        self.values: dict[str, str] = {}
        self.controls: set[str] = set()
        self.labels: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.method, self.action = values["method"], values["action"]
        if tag == "label":
            self.labels.add(values["for"])
        if tag == "input":
            self.values[values["name"]] = values.get("value", "")
            if values.get("type") != "hidden":
                self.controls.add(values["id"])


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def submitted(client: Client, url: str, **typed: str):
    """Open a page, and send its form with what is typed."""
    page = client.get(url)
    assert page.status_code == 200
    form = Form(page.content.decode())
    assert form.method == "post"
    # As a browser sends it from a page that keeps its address to itself.
    return client.post(form.action, form.values | typed, headers={"Origin": "null"})


def link_to(purpose: str, user: CustomUser, settings: Settings, email: str = "") -> str:
    settings.FRONTEND_URL, settings.PUBLIC_URL = "", "http://testserver"
    mailed = mailed_link(link_id=a_link(user, purpose, email=email, now=NOW).pk, now=NOW)
    assert mailed is not None
    return mailed.url.removeprefix("http://testserver")


def test_confirm_an_address(settings: Settings):
    user = a_user()

    done = submitted(browser(), link_to("verify_email", user, settings))

    assert done.status_code == 200
    assert "Your e-mail address is confirmed." in done.content.decode()
    user.refresh_from_db()
    assert user.email_verified_at is not None


def test_change_an_address(settings: Settings):
    user = a_user()

    done = submitted(browser(), link_to("change_email", user, settings, "new@example.org"))

    assert "Your e-mail address has been changed." in done.content.decode()
    user.refresh_from_db()
    assert user.email == "new@example.org"


def test_set_a_password(settings: Settings):
    user = a_user()

    done = submitted(browser(), link_to("reset_password", user, settings), new_password=NEW_PASSWORD)

    assert "Your new password is set." in done.content.decode()
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


def test_say_what_is_wrong_with_a_password_and_let_one_try_again(settings: Settings):
    user = a_user()
    url, client = link_to("reset_password", user, settings), browser()

    refused = submitted(client, url, new_password="12345678")

    assert refused.status_code == 400
    page = refused.content.decode()
    assert "This password is too common." in page
    assert 'role="alert"' in page
    assert 'aria-describedby="problems"' in page
    assert "12345678" not in page
    again = client.post(Form(page).action, Form(page).values | {"new_password": NEW_PASSWORD})
    assert again.status_code == 200


def test_ask_for_another_username_when_somebody_has_it(settings: Settings):
    request_registration(username="ada", email="ada@example.org", password=PASSWORD, now=NOW)
    a_user(username="ada")
    client = browser()

    refused = submitted(client, f"/account/verify-email/?token={token_of(PendingRegistration.objects.get())}")

    assert refused.status_code == 409
    form = Form(refused.content.decode())
    assert form.controls == {"username"}
    assert client.post(form.action, form.values | {"username": "lovelace"}).status_code == 200
    assert CustomUser.objects.filter(username="lovelace", email="ada@example.org").exists()


@pytest.mark.parametrize("typed", ["known", "unknown"])
def test_take_a_forgotten_password_and_tell_nothing(typed: str):
    a_user(username="known")

    done = submitted(browser(), "/account/forgot-password/", username=typed)

    assert done.status_code == 200
    assert "If there is such an account, a mail is on its way" in done.content.decode()
    assert PasswordResetRequest.objects.get().login == typed


def test_are_limited_as_the_api_is(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 1
    client = browser()
    submitted(client, "/account/forgot-password/", username="ada")

    refused = submitted(client, "/account/forgot-password/", username="ada")

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("token", ["", "x", "a.b", "<script>", "%0d%0a", "x" * 600])
def test_refuse_what_is_no_link_without_a_trace_of_it(page: str, token: str):
    client = browser()

    shown = client.get(f"/account/{page}/?token={token}")
    sent = client.post(f"/account/{page}/", {"token": token, "new_password": NEW_PASSWORD})

    assert shown.status_code == 200
    assert sent.status_code == 400
    assert b"<script" not in shown.content + sent.content


@pytest.mark.parametrize("purpose", ["verify_email", "change_email", "reset_password"])
def test_do_nothing_when_they_are_only_looked_at(purpose: str, settings: Settings):
    """Scanners of mails open every link, some of them several times."""
    user = a_user()
    before = CustomUser.objects.values().get(pk=user.pk)
    url = link_to(purpose, user, settings, "new@example.org" if purpose == "change_email" else "")

    for ask in (browser().get, browser().head):
        assert ask(url).status_code == 200

    assert CustomUser.objects.values().get(pk=user.pk) == before
    assert AccountLink.objects.get().closed_at is None


@pytest.mark.parametrize("page", PAGES)
def test_keep_what_they_hold_to_themselves(page: str):
    client = browser()

    for answer in (client.get(f"/account/{page}/?token=x"), client.post(f"/account/{page}/", {"token": "x"})):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert answer["X-Frame-Options"] == "DENY"
        assert not answer.cookies


@pytest.mark.parametrize("page", PAGES)
def test_can_be_used_without_seeing_them(page: str):
    text = browser().get(f"/account/{page}/").content.decode()

    assert '<html lang="en">' in text
    assert len(re.findall("<h1>", text)) == len(re.findall("<main>", text)) == 1
    assert Form(text).controls == Form(text).labels
    assert re.search(r"<title>\S.* · Event Hub</title>", text)


def test_ask_for_a_username_until_it_is_a_good_one(settings: Settings):
    """USR-4: what is wrong with it is said beside the field where it can be mended."""
    settings.EMAIL_VERIFICATION = "required"
    a_user(username="taken")
    request_registration(username="taken", email="ada@example.org", password=NEW_PASSWORD, now=timezone.now())
    client, token = browser(), token_of(PendingRegistration.objects.get())
    assert client.post("/account/verify-email/", {"token": token}).status_code == 409

    refused = client.post("/account/verify-email/", {"token": token, "username": "not a name"})

    assert refused.status_code == 400
    assert "Use letters, digits and . + - _ only." in refused.content.decode()
    assert "username" in Form(refused.content.decode()).controls


def test_say_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch):
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(PasswordResetRequest.objects, "create", away)

    answer = browser().post("/account/forgot-password/", {"username": "ada"})

    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    assert "try again" in answer.content.decode()
    assert Form(answer.content.decode()).controls == {"username"}


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_take_no_other_method(method: str):
    answer = getattr(browser(), method)("/account/verify-email/")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "method_not_allowed"


def test_are_where_the_admin_s_log_in_points_to():
    assert b"/account/forgot-password/" in browser().get("/admin/login/").content


def test_offer_nothing_to_send_once_a_link_is_used(settings: Settings):
    """USR-4"""
    client, url = browser(), link_to("verify_email", a_user(), settings)
    submitted(client, url)

    again = submitted(client, url)

    assert again.status_code == 400
    assert "used before" in again.content.decode()
    assert Form(again.content.decode()).action == ""
