"""Private files of payments that a link can lead to."""

from datetime import datetime

from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.download_links import Download
from payments.services.invoice_papers import invoice_on_paper
from users.models import CustomUser

INVOICE = "invoice"


def _invoice(invoice_id: int, user: CustomUser, now: datetime) -> PrivateFile:
    return invoice_on_paper(invoice_id=invoice_id, user=user)


DOWNLOADS = (Download(INVOICE, _invoice),)
