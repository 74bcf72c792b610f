"""The tours: their commands run against a live server, and each prints what stands below it."""

from pathlib import Path

import pytest

from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.pages import AT_THE_DOOR, FIRST_BOOKING, ORGANIZING, blocks_of, terminal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

# What each tour makes Event Hub mail.
TOURS = {
    FIRST_BOOKING: ("Your seats are held", "You are booked", "Invoice EH", "Booking cancelled", "Refund of 25.00 EUR"),
    ORGANIZING: ("Confirm your e-mail address", "New time or place", "Booking cancelled", "Refund of 30.00 EUR"),
    AT_THE_DOOR: ("You are booked", "Booking cancelled"),
}


@pytest.mark.parametrize("page", TOURS, ids=lambda page: page.stem)
def test_are_true_when_pasted_twice(page: Path, process_environment: dict[str, str], tmp_path: Path) -> None:
    """OPS-1"""
    blocks = blocks_of(page)
    assert len(blocks) > 8
    environment = own_queue(process_environment)

    with web(environment) as server, worker(environment) as working:
        for _paste in range(2):
            with terminal(server.url, tmp_path) as shell:  # for what they download
                for block in blocks:
                    shell.follow(block)
        wait_until(lambda: all(f"Subject: {subject}" in working.output() for subject in TOURS[page]), seconds=90)

    assert [str(finding) for check in all_checks() for finding in check.findings()] == []


def test_all_begin_alike() -> None:
    """Who has read one knows the beginning of the others."""
    helpers = ["".join(b.commands for b in blocks_of(page)) for page in TOURS]
    for name in ("pick() {", "wait_for() {"):
        found = {text.partition(name)[2].partition("\n}\n")[0] for text in helpers if name in text}
        assert len(found) == 1, name
