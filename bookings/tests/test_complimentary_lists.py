"""Complimentary bookings from a list: looked at first, and then all of them or none."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, Ticket
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from events.models import Event, TicketType
from events.tests.factories import an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

GOOD = "email,name,ticket_type,quantity,reason\nann@example.org,Ann,,2,Press\nbob@example.org,,,,Sponsor\n"


def send(event: Event, text: str = GOOD, user: CustomUser | None = None, **more: Any) -> Any:
    client = a_client_of(user or event.organizer)
    return client.post(f"/api/events/{event.pk}/complimentary_import/", {"csv": text} | more)


def upload(event: Event, content: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile("guests.csv", content, content_type="text/csv")
    client = a_client_of(event.organizer)
    return client.post(f"/api/events/{event.pk}/complimentary_import/", {"file": file} | more, format="multipart")


def problems(answer: Any) -> list[tuple[int, str, str]]:
    return [(it["line"], it["field"], it["code"]) for it in answer.json()["problems"]]


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def test_gives_everybody_on_it_what_it_says() -> None:
    """BKG-7"""
    event = an_event(capacity=10)

    body = send(event).json()

    bookings = list(Booking.objects.order_by("pk").values_list("invited_as", "seats", "waiver_reason", "status"))
    assert bookings == [("Ann", 2, "Press", "confirmed"), ("bob@example.org", 1, "Sponsor", "confirmed")]
    assert body["bookings"] == list(Booking.objects.order_by("pk").values_list("pk", flat=True))
    assert (body["is_accepted"], body["lines"], body["seats"], body["problems"]) == (True, 2, 3, [])
    event.refresh_from_db()
    assert event.seats_taken == 3
    assert findings() == []


def test_a_dry_run_says_the_same_and_does_nothing() -> None:
    event = an_event(capacity=10)

    body = send(event, dry_run=True).json()

    assert body == {"is_accepted": True, "dry_run": True, "bookings": [], "lines": 2, "seats": 3, "problems": []}
    assert Booking.objects.count() == 0
    assert not CustomUser.objects.filter(email__endswith="@example.org").exists()
    event.refresh_from_db()
    assert event.seats_taken == 0


WRONG = """email,name,ticket_type,quantity,reason
ann@example.org,Ann,,1,Press

nobody,,,1,Press
ANN@example.org,Ann again,,1,Press
carl@example.org,,No such type,1,Press
dora@example.org,,,many,Press
emil@example.org,,,1,
booked@example.org,,,1,Press
fred@example.org,,,99,Press
gina@example.org,"Two
lines",,1,Press
hans@example.org,,,9,Press
ines@example.org,,,1,Press,too,much
"""
FOUND = [
    (4, "email", "invalid"),
    (5, "email", "duplicate"),
    (6, "ticket_type", "invalid"),
    (7, "quantity", "invalid"),
    (8, "reason", "required"),
    (9, "email", "already_booked"),
    (10, "quantity", "too_many_seats"),
    (11, "name", "control_character"),
    (13, "quantity", "sold_out"),
    (14, "", "too_many_columns"),
]


def test_names_what_is_wrong_with_each_line() -> None:
    event = an_event(capacity=9)
    a_booking(event=event, user=a_user(email="booked@example.org"))

    answer = send(event, WRONG, dry_run=True)

    assert answer.status_code == 200
    assert not answer.json()["is_accepted"]
    assert problems(answer) == FOUND
    assert (answer.json()["lines"], answer.json()["seats"]) == (1, 1)  # Ann's
    message = answer.json()["problems"][2]["message"]
    assert message == "No ticket type of this event, or more than one, is called “No such type”."


def test_one_bad_line_keeps_all_others_back() -> None:
    event = an_event(capacity=9)
    a_booking(event=event, user=a_user(email="booked@example.org"))

    answer = send(event, WRONG)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "rows_refused")
    assert [(it["field"], it["code"]) for it in body["errors"]] == [
        (f"lines.{line}.{field}".removesuffix("."), code) for line, field, code in FOUND
    ]
    assert Booking.objects.count() == 1
    assert not CustomUser.objects.filter(email="ann@example.org").exists()
    event.refresh_from_db()
    assert event.seats_taken == 1


def test_seats_are_counted_over_the_whole_list() -> None:
    event = an_event(capacity=2)

    answer = send(event)

    assert [(it["field"], it["code"]) for it in answer.json()["errors"]] == [("lines.3.quantity", "sold_out")]
    assert Booking.objects.count() == 0


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffEmail;Name;Reason\r\nann@example.org;Ann;Press\r\n".encode(),
        b"EMAIL\tname\treason\nann@example.org\tAnn\tPress",
        b'"email","name","reason"\n"ann@example.org","Ann","Press"\n\n\n',
        b"reason,name,email\nPress,Ann,ann@example.org\n",
    ],
    ids=["a mark and semicolons", "tabs", "quotes and empty lines", "another order"],
)
def test_takes_what_spreadsheets_write(content: bytes) -> None:
    answer = upload(an_event(), content)

    assert answer.status_code == 200
    assert Booking.objects.values_list("invited_as", "waiver_reason").get() == ("Ann", "Press")


def test_a_reason_for_all_stands_in_for_lines_without_one() -> None:
    text = b"email,reason\nann@example.org,Her own\nbob@example.org,\n"

    assert upload(an_event(), text, reason="For all").status_code == 200

    assert list(Booking.objects.order_by("pk").values_list("waiver_reason", flat=True)) == ["Her own", "For all"]


def test_a_dry_run_of_an_upload() -> None:
    answer = upload(an_event(), GOOD.encode(), dry_run="true")

    assert (answer.json()["dry_run"], Booking.objects.count()) == (True, 0)


def test_names_types_by_id_or_as_people_do() -> None:
    event = an_event(ticket_types=[{"name": "Standard"}, {"name": "Crew", "is_visible": False}])
    crew = TicketType.objects.get(name="Crew")

    send(event, f"email,ticket_type,reason\na@example.org,crew,x\nb@example.org,{crew.pk},x\nc@example.org,,x\n")

    assert list(Ticket.objects.order_by("pk").values_list("ticket_type__name", flat=True)) == ["Crew"] * 2 + [
        "Standard"
    ]


def test_what_would_be_a_formula_in_a_spreadsheet_is_a_name_here() -> None:
    """RELIABILITY I5: it is stored as it is; whatever writes spreadsheets disarms it."""
    send(an_event(), 'email,name,reason\nann@example.org,"=HYPERLINK(""http://x"")",x\n')

    assert Booking.objects.get().invited_as == '=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"email,reason\n", "empty"),
        (b"ann@example.org\n", "columns"),
        (b"email,email,reason\na@example.org,b@example.org,x\n", "columns"),
        (b"email,price,reason\na@example.org,5,x\n", "columns"),
        (b"name,reason\nAnn,x\n", "columns"),
        ("email,name,reason\na@example.org,Jörg,x\n".encode("latin-1"), "not_utf8"),
        (b"email,reason\na@example.org,x\0\n", "malformed"),
        (b'email,reason\na@example.org,"never ends\n', "malformed"),
        (b"\x50\x4b\x03\x04\x14\x00\x06", "malformed"),
        (b"email,reason\n" + b"a@example.org,x\n" * 501, "too_many_rows"),
        (b"email,reason\n" + b"a@example.org,x\n" * 501 + b'"never read', "too_many_rows"),
    ],
)
def test_refuses_what_is_no_such_list(content: bytes, code: str) -> None:
    answer = upload(an_event(), content)

    assert answer.status_code == 400
    assert [(it["field"], it["code"]) for it in answer.json()["errors"]] == [("file", code)]
    assert Booking.objects.count() == 0


def test_names_a_column_that_there_is_not_and_the_field_that_the_list_came_in() -> None:
    answer = send(an_event(), "email,nmae,reason\nann@example.org,Ann,x\n")

    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("csv", "columns")
    assert error["message"].startswith("There is no column “nmae”. The first line names the columns: email, ")


def test_refuses_what_is_too_large() -> None:
    answer = upload(an_event(), b"email,reason\n" + b"x" * 1_048_576)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_only_by_those_who_run_the_event() -> None:
    event = an_event()

    codes = [send(event, user=user).status_code for user in (a_user(), an_organizer(), an_admin())]

    assert codes == [403, 403, 200]


def test_five_hundred_lines_hold_the_event_up_for_a_few_statements() -> None:
    event = an_event()
    lines = "".join(f"guest{number}@example.org,Guest {number},x\n" for number in range(500))

    with CaptureQueriesContext(connection) as queries:
        assert send(event, f"email,name,reason\n{lines}").status_code == 200

    said = [query["sql"] for query in queries]
    last_row = max(at for at, sql in enumerate(said) if sql.startswith("INSERT"))
    assert len(said) - last_row < 12
    assert Booking.objects.count() == 500
    assert findings() == []
