"""The audit in plain SQL finds nothing in sound books; what it does find is among the planted corruptions."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from eventhub_config.shared.periodic import all_jobs
from eventhub_config.tests.auditing import LINES, audit
from eventhub_config.tests.world import a_world

pytestmark = pytest.mark.django_db


def test_finds_nothing_in_a_world_that_services_made() -> None:
    a_world()

    assert audit(connection, at_rest=False) == []


def test_finds_nothing_at_rest_once_every_job_has_run() -> None:
    a_world()
    for _ in range(3):
        for job in all_jobs().values():
            job.run(timezone.now())

    assert audit(connection) == []


def test_finds_nothing_in_the_demo_data() -> None:
    call_command("load_demo")

    assert audit(connection, at_rest=False) == []


def test_lines_have_names_of_their_own() -> None:
    names = [line.name for line in LINES]

    assert sorted(names) == sorted(set(names))
