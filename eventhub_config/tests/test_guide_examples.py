"""``docs/api.md``: the commands about events run after those of ``docs/first-booking.md``, and print what is shown."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from eventhub_config.tests.live import own_queue, web
from eventhub_config.tests.pages import API_GUIDE, FIRST_BOOKING, blocks_of, terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

SECTIONS = (
    "Whether you can book",
    "Attendees and figures",
    "At the desk",
    "Tickets on paper",
    "Events that move",
    "Programmes",
    "Holding an event once more",
    "Calendar files",
)


def test_are_true(process_environment: dict[str, str], tmp_path: Path) -> None:
    """EVT-3, EVT-5, EVT-7, EVT-9, BKG-4, BKG-7"""
    with web(own_queue(process_environment)) as server, terminal(server.url, tmp_path) as shell:
        for block in blocks_of(FIRST_BOOKING)[:7]:  # until it is booked
            shell.paste(block.commands)
        for section in SECTIONS:
            for block in blocks_of(API_GUIDE, section):
                shell.follow(block)


def test_about_finding_events_are_true_of_the_demo_world(process_environment: dict[str, str]) -> None:
    """EVT-8"""
    call_command("load_demo")
    misspelt = 'curl -sS "$BASE/api/events/?search=stokholm%20pyhton" | pick count'

    with web(own_queue(process_environment)) as server, terminal(server.url) as shell:
        shell.paste(blocks_of(FIRST_BOOKING)[0].commands)
        for block in blocks_of(API_GUIDE, "Finding events"):
            shell.follow(block)
        assert shell.paste(misspelt) == ("1\n" if connection.vendor == "postgresql" else "0\n")
