"""``docs/api.md``: the commands about accounts and mail run, with the tokens of mails that are really sent."""

import os
import re
import subprocess

import pytest

from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.test_first_booking import MARK, PAGE, blocks, matches
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


class Shell:
    """A terminal that commands are pasted into, one block after the other."""

    def __init__(self, base: str) -> None:
        self.process = subprocess.Popen(
            ["sh", "-u"],
            env={"PATH": os.environ["PATH"], "BASE": base},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def paste(self, commands: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{commands}echo '{MARK}'\n")
        self.process.stdin.flush()
        return "".join(iter(self.process.stdout.readline, f"{MARK}\n"))

    def close(self) -> None:
        self.process.communicate("exit\n", timeout=30)


def test_is_true(process_environment: dict[str, str]) -> None:
    """USR-4, USR-5"""
    guide = PAGE.with_name("api.md").read_text()
    section = guide.partition("\n## Accounts and mail\n")[2].partition("\n## ")[0]
    pairs = re.findall(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(pairs) == 4

    with mail_sink() as sink:
        environment = own_queue(process_environment) | sink.settings
        with web(environment) as server, worker(environment):
            shell = Shell(server.url)
            for block in blocks()[:2]:
                shell.paste(block.commands)
            for number, (commands, shown) in enumerate(pairs):
                if number in MAILS:
                    shell.paste(f"TOKEN='{the_token(sink, *MAILS[number])}'\n")
                printed = shell.paste(commands)
                assert matches(shown, printed), f"{commands}\nprinted\n{printed}"
            shell.close()

    assert CustomUser.objects.filter(email__startswith="aron-", email__endswith="@example.org").count() == 1
