"""How many statements the lists of money take, whatever the number of rows (API-1, RELIABILITY I4)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.tests.invoices import a_credit_note, a_seller, an_invoice
from users.models import CustomUser
from users.tests.factories import a_client_of, an_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def statements_for(person: CustomUser, path: str) -> int:
    client = a_client_of(person)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", ["payments/", "refunds/", "invoices/", "invoices/?cursor=", "invoices/export/"])
def test_a_longer_list_costs_no_more(path: str) -> None:
    seller, admin = a_seller(), an_admin()
    counts = []
    for more in (2, 5):
        for _ in range(more):
            a_credit_note(an_invoice(organizer=seller), "5.00")
        counts += [statements_for(person, f"/api/{path}") for person in (seller, admin)]

    assert counts == [2] * 4  # who calls, and the rows; whoever has them all on one page needs no count
