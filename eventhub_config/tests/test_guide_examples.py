"""``docs/api.md``: the commands about booking run after those of ``docs/first-booking.md``, and print what is shown."""

import os
import re
import subprocess

import pytest

from eventhub_config.tests.live import own_queue, web
from eventhub_config.tests.test_first_booking import PAGE, blocks, matches

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

SECTIONS = ("Whether you can book", "Attendees and figures", "Events that move")


def test_are_true(process_environment: dict[str, str]) -> None:
    """EVT-5, EVT-7"""
    guide = PAGE.with_name("api.md").read_text()
    pairs = [_commands_and_output(guide, section) for section in SECTIONS]
    until_it_is_booked = "".join(block.commands for block in blocks()[:7])

    with web(own_queue(process_environment)) as server:
        done = subprocess.run(
            ["sh", "-eu"],
            input="\necho -- the guide --\n".join([until_it_is_booked, *(commands for commands, _shown in pairs)]),
            env={"PATH": os.environ["PATH"], "BASE": server.url},
            capture_output=True,
            text=True,
            check=False,
        )

    printed = done.stdout.split("-- the guide --\n")[1:]
    assert len(printed) == len(pairs), f"{done.stdout}\n{done.stderr}"
    for (commands, shown), told in zip(pairs, printed, strict=True):
        assert matches(shown, told), f"{commands}\nprinted\n{told}\n{done.stderr}"


def _commands_and_output(guide: str, section: str) -> tuple[str, str]:
    text = guide.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    commands, shown = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return commands, shown
