"""What belongs to all apps is contributed per app, found by module name, and put together."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from eventhub_config.shared.integrity import Check, all_checks
from eventhub_config.shared.registry import contributions
from eventhub_config.tests.contract import operations
from eventhub_config.tests.world import a_world
from events.models import Event
from users.tests.factories import a_client

ROOT = Path(__file__).resolve().parents[2]
APPS = ["shared", "users", "events", "bookings", "payments", "notifications"]
CONTRIBUTED = {"integrity": "CHECKS", "demo": "load", "jobs": "JOBS", "choices": "CHOICES"}


@pytest.mark.parametrize(("module", "attribute"), CONTRIBUTED.items())
def test_every_module_of_that_name_is_found_lower_apps_first(module: str, attribute: str) -> None:
    folders = {"shared": ROOT / "eventhub_config" / "shared"} | {app: ROOT / app for app in APPS[1:]}
    there = [app for app in APPS if (folders[app] / f"{module}.py").exists()]

    assert [app for app, _contributed in contributions(module, attribute)] == there
    assert there


def test_an_app_without_one_contributes_nothing() -> None:
    assert list(contributions("no_app_has_this", "ANYTHING")) == []


def test_an_app_whose_contribution_breaks_is_not_passed_over() -> None:
    with pytest.raises(AttributeError):
        list(contributions("models", "NO_SUCH_THING"))


def test_apps_stand_in_their_order() -> None:
    assert [config.label for config in apps.get_app_configs() if config.label in APPS] == APPS


# --- Integrity --------------------------------------------------------------------------------------------------------


def test_checks_have_names_of_their_own() -> None:
    names = [check.name for check in all_checks()]

    assert sorted(names) == sorted(set(names))
    assert all(check.promise.endswith(".") for check in all_checks())


@pytest.mark.django_db
def test_a_world_that_was_made_by_services_is_sound() -> None:
    a_world()
    output = StringIO()

    call_command("check_integrity", stdout=output)

    assert output.getvalue() == f"{len(all_checks())} checks, 0 findings\n"


@pytest.mark.django_db
def test_what_is_broken_is_named_and_fails_the_command() -> None:
    world = a_world()
    event = world.objects["event"]
    Event.objects.filter(pk=event.pk).update(seats_taken=7)
    output = StringIO()

    with pytest.raises(CommandError) as failure:
        call_command("check_integrity", "--json", stdout=output)

    assert failure.value.returncode == 1
    told = json.loads(output.getvalue())
    assert told["checks"] == len(all_checks())
    (finding,) = told["findings"]
    assert finding["check"] == "seat_counters"
    assert str(event.pk) in finding["subject"]
    assert "7 seats" in finding["message"]


@pytest.mark.django_db
@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_each_check_finds_nothing_where_there_is_nothing(check: Check) -> None:
    assert list(check.findings()) == []


# --- Choices ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_meta_tells_every_choice_code_currency_and_zone() -> None:
    body = a_client().get("/api/meta/").json()

    assert set(body["choices"]) == {name for _app, named in contributions("choices", "CHOICES") for name in named}
    assert {"value": "draft", "label": "Draft"} in body["choices"]["event.status"]
    assert {"code": "EUR", "decimals": 2} in body["currencies"]
    assert {"code": "JPY", "decimals": 0} in body["currencies"]
    assert "Europe/Berlin" in body["timezones"]
    documented = {code for operation in operations().values() for code in operation.described["x-error-codes"]}
    assert documented <= set(body["error_codes"])


@pytest.mark.django_db
def test_meta_takes_no_statement() -> None:
    """What never changes needs no database: a front end asks for it first of all."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as counted:
        a_client().get("/api/meta/")

    assert len(counted) == 0
