"""``docs/api.md``: the commands about accounts and mail run, with the tokens of mails that are really sent."""

import pytest

from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.pages import API_GUIDE, FIRST_BOOKING, blocks_of, terminal
from notifications.tests.mail_sink import MailSink, mail_sink, text_of, token_in
from users.models import CustomUser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

# Before which of the commands a mail arrives, and which.
MAILS = {1: ("@example.com", "Set a new password"), 3: ("@example.org", "Confirm your new e-mail address")}


def the_token(sink: MailSink, ending: str, subject: str) -> str:
    def found() -> list[str]:
        fitting = [mail for mail in sink.mails if mail["To"].endswith(ending) and mail["Subject"] == subject]
        return [token_in(text_of(mail)) for mail in fitting]

    wait_until(lambda: bool(found()), seconds=60)
    return found()[-1]


def test_is_true(process_environment: dict[str, str]) -> None:
    """USR-4, USR-5"""
    blocks = blocks_of(API_GUIDE, "Accounts and mail")
    assert len(blocks) == 4

    with mail_sink() as sink:
        environment = own_queue(process_environment) | sink.settings
        with web(environment) as server, worker(environment), terminal(server.url) as shell:
            for block in blocks_of(FIRST_BOOKING)[:2]:
                shell.paste(block.commands)
            for number, block in enumerate(blocks):
                if number in MAILS:
                    shell.paste(f"TOKEN='{the_token(sink, *MAILS[number])}'")
                shell.follow(block)

    assert CustomUser.objects.filter(email__startswith="aron-", email__endswith="@example.org").count() == 1
