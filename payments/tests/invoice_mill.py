"""A process that issues whatever is owed, while some of it fails: ``python -m payments.tests.invoice_mill SEED``.

After a number was drawn and everything was written, just before the commit, one in twenty fails and is rolled back, and
one in sixty is the last that this process does: it is killed. Says ``ready``, and begins when it is told to.
"""

import os
import random
import signal
import sys
from typing import Any

import django

ROLLED_BACK, KILLED = 0.05, 1 / 60


class ForcedRollback(Exception):
    """What the test wants to happen."""


def main(seed: int) -> None:
    django.setup()

    from django.utils import timezone

    from payments import signals
    from payments.models import Invoice, InvoiceRequest
    from payments.services import issue_invoice

    chance = random.Random(seed)

    def trouble(**_: Any) -> None:
        drawn = chance.random()
        if drawn < ROLLED_BACK:
            raise ForcedRollback
        if drawn < ROLLED_BACK + KILLED:
            os.kill(os.getpid(), signal.SIGKILL)

    signals.invoice_issued.connect(trouble)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    while True:
        invoiced = Invoice.objects.filter(kind=Invoice.Kind.INVOICE).values("payment")
        owed = InvoiceRequest.objects.filter(invoice=None)
        ready = owed.filter(kind=Invoice.Kind.INVOICE) | owed.filter(payment__in=invoiced)
        found = list(ready.values_list("pk", flat=True))
        if not found:
            return
        for request_id in chance.sample(found, min(10, len(found))):
            try:
                issue_invoice(request_id=request_id, now=timezone.now())
            except ForcedRollback:
                continue


if __name__ == "__main__":
    main(int(sys.argv[1]))
