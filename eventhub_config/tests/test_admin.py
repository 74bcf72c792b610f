"""Every page of the admin, of all apps together."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from events.tests.factories import a_draft
from payments.tests.factories import a_paid_booking
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

OURS = ("shared", "users", "events", "bookings", "payments", "notifications")


def browser(user: CustomUser) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pages() -> list[tuple[str, admin.ModelAdmin]]:
    return [
        (f"/admin/{model._meta.app_label}/{model._meta.model_name}/", page)
        for model, page in admin.site._registry.items()
    ]


def test_knows_every_model_of_ours():
    shown = set(admin.site._registry)
    shown |= {inline.model for page in admin.site._registry.values() for inline in page.inlines}
    shown |= {apps.get_model("users", name) for name in ("UserProfile", "OrganizerProfile")}  # on their user's page

    missing = {
        model._meta.label for app in OURS for model in apps.get_app_config(app).get_models() if model not in shown
    }

    assert missing == set()


def test_answers_an_administrator_everywhere(django_assert_max_num_queries):
    client = browser(an_admin())
    a_paid_booking()
    a_draft()

    for path, page in pages():
        rows = [str(row.pk) for row in page.model._default_manager.all()[:1]]
        for tail in ["", "?q=1", *[f"{pk}/{view}/" for pk in rows for view in ("change", "history")]]:
            response = client.get(path + tail, follow=True)
            assert response.status_code == 200, path + tail
        expected = 200 if page.has_add_permission(client.get("/admin/").wsgi_request) else 403
        assert client.get(f"{path}add/").status_code == expected, path


def test_answers_an_organizer_everywhere_or_refuses():
    organizer = an_organizer()
    client = browser(organizer)
    a_paid_booking(organizer=organizer)

    for path, page in pages():
        request = client.get("/admin/").wsgi_request
        expected = 200 if page.has_view_permission(request) else 403
        assert client.get(path).status_code == expected, path
        assert client.get(f"{path}add/").status_code == (200 if page.has_add_permission(request) else 403), path


def test_is_not_for_attendees():
    client = browser(a_user())

    for path, _page in pages():
        assert client.get(path).status_code == 302, path
