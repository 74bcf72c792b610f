"""What an invoice looks like on paper: A4 pages with what bookkeeping and tax offices ask for.

Source: Directive 2006/112/EC, article 226 (what an invoice has to say), article 219 (what corrects one).

Imports the PDF library, so it is imported by the function that makes one. Nothing here asks the database.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from django.utils.dateformat import format as format_date

from eventhub_config.shared import money
from eventhub_config.shared.documents.sheet import (
    BOLD,
    HEIGHT,
    INK,
    QUIET,
    WIDTH,
    Sheet,
    Style,
    fitted,
    width_of,
    wrapped,
)
from eventhub_config.shared.documents.typefaces import written
from payments.models import Invoice, Payment
from payments.services.invoice_content import with_net

MARGIN = 50.0
LEFT, RIGHT = MARGIN, WIDTH - MARGIN
MIDDLE = LEFT + (RIGHT - LEFT) * 0.56
TOP, BOTTOM = 50.0, HEIGHT - 62.0
CONTINUED = TOP + 30  # where the table goes on, on later pages
MOST_LINES = 6  # of an address
GAP = 16.0  # between columns of numbers

HEADING = Style(24, BOLD, INK, 28)
LABEL = Style(8.5, colour=QUIET, leading=12)
STRONG = Style(10.5, BOLD, INK, 14.5)
BODY = Style(9.5, colour=INK, leading=13.5)
CELL = Style(9.5, colour=INK, leading=13)
SUM = Style(12.5, BOLD, INK, 18)
FINE = Style(8.5, colour=QUIET, leading=12)
SELLERS = [Style(size, BOLD, INK, size * 1.25) for size in (14, 12, 10.5)]

METHODS = {
    Payment.Method.CARD: "by card",
    Payment.Method.BANK_TRANSFER: "by bank transfer",
    Payment.Method.WALLET: "by wallet",
    Payment.Method.CASH: "in cash",
}
NO_TAX = "No tax is charged: the amounts contain none."
GAPS = "Some words are in letters that cannot be printed here: “…” stands for them."


class _Row(NamedTuple):
    """A line of the table: its description in lines, and the numbers beside it."""

    description: list[str]
    cells: list[str]

    @property
    def height(self) -> float:
        return len(self.description) * CELL.step + 10


class InvoicePaper:
    """An invoice as it will be printed. Everything but its number is laid out at once; that is most of the work."""

    def __init__(self, invoice: Invoice) -> None:
        self._invoice = invoice
        self._supply = invoice.supply
        self._zone = ZoneInfo(self._supply.get("timezone") or "UTC")
        self._has_gaps = False
        self._is_credit_note = invoice.kind == Invoice.Kind.CREDIT_NOTE
        self._is_taxed = bool(invoice.tax_rate)
        self._seller = self._party(
            (self._one(invoice.seller["name"]) or "Seller", *self._address(invoice.seller["address"])),
            invoice.seller["tax_id"],
        )
        self._seller_name, self._seller_style = fitted(self._seller[0], SELLERS, width=MIDDLE - LEFT - 20, most=3)
        self._seller_lines = self._broken(self._seller[1:], MIDDLE - LEFT - 20)
        self._buyer_lines = self._broken(self._buyer(), MIDDLE - LEFT - 20)
        self._event_title, self._about = self._event()
        self._columns, self._heads, cells = self._table()
        self._rows = self._laid_out(cells)
        self._pages = self._paged()

    # --- What it says ---

    def _one(self, text: str) -> str:
        line = written(text)
        self._has_gaps = self._has_gaps or line.has_gaps
        return line.text

    def _address(self, text: str) -> list[str]:
        lines = [line for line in map(self._one, text.splitlines()) if line]
        return lines if len(lines) <= MOST_LINES else [", ".join(lines)]

    def _party(self, lines: Sequence[str], tax_id: str) -> list[str]:
        told = [*lines, f"Tax ID: {self._one(tax_id)}" if tax_id else ""]
        return [line for line in told if line]

    def _buyer(self) -> list[str]:
        billing = self._invoice.billing
        names = [self._one(billing[part]) for part in ("company", "name")]
        town = self._one(f"{billing['postal_code']} {billing['city']}")
        lines = [*filter(None, names), *self._address(billing["address"]), town, _country(billing["country"])]
        # A name that cannot be printed: the booking says who it is.
        if not any(names):
            lines = [f"Holder of booking {self._supply.get('booking_reference', '')}", *lines]
        return self._party(lines, billing["tax_id"])

    def _event(self) -> tuple[list[str], list[str]]:
        """Return the title of what was sold, and when and where it is, in lines."""
        supply = self._supply
        if not supply.get("event"):
            return [], []
        title = wrapped(self._one(supply["event"]) or "An event", STRONG, width=RIGHT - LEFT, most=2)
        told = [line for line in (self._when(), self._one(supply["place"])) if line]
        return title, [part for line in told for part in wrapped(line, BODY, width=RIGHT - LEFT, most=3)]

    def _when(self) -> str:
        start, end = (datetime.fromisoformat(self._supply[name]) for name in ("starts_at", "ends_at"))
        start, end = start.astimezone(self._zone), end.astimezone(self._zone)
        zone = self._supply["timezone"].replace("_", " ")
        until = f"{end:%H:%M}" if start.date() == end.date() else f"{_date(end)}, {end:%H:%M}"
        return f"{_date(start)}, {start:%H:%M} to {until} ({zone})"

    def _day(self, moment: str) -> str:
        return _date(datetime.fromisoformat(moment).astimezone(self._zone))

    def _facts(self) -> list[tuple[str, str]]:
        """Return what stands beside the address."""
        supply = self._supply
        facts = [
            ("Number", self._invoice.number),
            ("Date of issue", _date(self._invoice.issued_at.astimezone(self._zone))),
        ]
        if supply.get("starts_at"):
            start, end = self._day(supply["starts_at"]), self._day(supply["ends_at"])
            facts.append(("Date of supply", start if start == end else f"{start} to {end}"))
        if supply.get("corrects_number"):
            facts.append(("Corrects invoice", supply["corrects_number"]))
            facts.append(("dated", self._day(supply["corrects_issued_at"])))
        if supply.get("booking_reference"):
            facts.append(("Booking", supply["booking_reference"]))
        facts.append(("Currency", self._invoice.currency))
        return facts

    def _settled(self) -> str:
        how = METHODS.get(self._supply.get("method", ""), "")
        if self._is_credit_note:
            day = self._supply.get("refunded_at")
            return f"Given back on {self._day(day)}." if day else "Given back."
        day = self._supply.get("paid_at")
        return f"Paid on {self._day(day)} {how}. Nothing is left to pay." if day else ""

    # --- The table ---

    def _table(self) -> tuple[list[float], list[tuple[str, str]], list[list[str]]]:
        """Return the right edges of the columns, their headings, and the numbers in them."""
        invoice = self._invoice
        rate = invoice.tax_rate or Decimal(0)
        lines = with_net(invoice.lines, invoice.subtotal, rate, invoice.currency)
        if self._is_taxed:
            heads = [("Quantity", ""), ("Unit price", "excl. tax"), ("Tax", ""), ("Amount", "excl. tax"),
                     ("Amount", "incl. tax")]  # fmt: skip
            cells = [
                [str(line["quantity"]), _grouped(line["unit_price_net"]), _percent(rate), _grouped(line["net"]),
                 _grouped(line["total"])]
                for line in lines
            ]  # fmt: skip
        else:
            heads = [("Quantity", ""), ("Unit price", ""), ("Amount", "")]
            cells = [[str(line["quantity"]), _grouped(line["unit_price"]), _grouped(line["total"])] for line in lines]
        edges: list[float] = []
        edge = RIGHT
        for column in reversed(range(len(heads))):
            edges.insert(0, edge)
            texts = [*heads[column], *(row[column] for row in cells)]
            edge -= max(width_of(text, CELL.weight, CELL.size) for text in texts) + GAP
        self._description_width = max(edge - LEFT, 120.0)
        return edges, heads, cells

    def _laid_out(self, cells: list[list[str]]) -> list[_Row]:
        described = [self._one(line["description"]) or "Ticket" for line in self._invoice.lines]
        return [
            _Row(wrapped(text, CELL, width=self._description_width, most=4), numbers)
            for text, numbers in zip(described, cells, strict=True)
        ]

    def _paged(self) -> list[list[_Row]]:
        """Return the rows of each page. The sums never stand on a page without a row."""
        pages: list[list[_Row]] = [[]]
        y = self._heading_height + self._head_height
        for row in self._rows:
            if y + row.height > BOTTOM:
                pages.append([])
                y = CONTINUED + self._head_height
            pages[-1].append(row)
            y += row.height
        if y + self._closing_height > BOTTOM:
            pages.append([pages[-1].pop()])
        return pages

    def _broken(self, lines: Sequence[str], width: float) -> list[str]:
        return [part for line in lines for part in wrapped(line, BODY, width=width, most=MOST_LINES)]

    # --- Drawing ---

    def pdf(self) -> bytes:
        """Return the PDF; by now the invoice has its number."""
        sheet = Sheet(title=f"{self._kind} {self._invoice.number}", author=self._seller[0])
        y = self._draw_heading(sheet)
        for number, rows in enumerate(self._pages, 1):
            if number > 1:
                sheet.turn_page()
                y = self._draw_running_head(sheet)
            if rows:
                y = self._draw_rows(sheet, rows, y)
            if number == len(self._pages):
                self._draw_closing(sheet, y)
            self._draw_foot(sheet, number)
        return sheet.finish()

    @property
    def _kind(self) -> str:
        return self._invoice.get_kind_display()

    @property
    def _closing_height(self) -> float:
        return 122.0 if self._is_taxed else 98.0

    @property
    def _head_height(self) -> float:
        return 40.0 if self._is_taxed else 28.0

    @property
    def _heading_height(self) -> float:
        seller = len(self._seller_name) * self._seller_style.step + 4 + len(self._seller_lines) * BODY.step
        top = TOP + max(seller, 60.0) + 30
        return top + self._parties_height + self._event_height + 10

    @property
    def _parties_height(self) -> float:
        return max(14 + len(self._buyer_lines) * BODY.step, len(self._facts()) * BODY.step) + 16

    @property
    def _event_height(self) -> float:
        about = len(self._event_title) * STRONG.step + len(self._about) * BODY.step
        return 16 + about if self._event_title else 0.0

    def _draw_running_head(self, sheet: Sheet) -> float:
        sheet.line(LEFT, TOP + 8, f"{self._kind} {self._invoice.number}", STRONG)
        seller = wrapped(self._seller[0], FINE, width=RIGHT - MIDDLE, most=1)
        sheet.line_to_right(RIGHT, TOP + 8, seller[0], FINE)
        return CONTINUED

    def _draw_heading(self, sheet: Sheet) -> float:
        y = sheet.lines(LEFT, TOP, self._seller_name, self._seller_style) + 4
        sheet.lines(LEFT, y, self._seller_lines, BODY)
        sheet.line_to_right(RIGHT, TOP + 20, self._kind, HEADING)
        seller = len(self._seller_name) * self._seller_style.step + 4 + len(self._seller_lines) * BODY.step
        y = TOP + max(seller, 60.0) + 14
        sheet.rule(LEFT, y, RIGHT)
        y += 16
        sheet.line(LEFT, y + 8, "BILLED TO", LABEL)
        sheet.lines(LEFT, y + 14, self._buyer_lines, BODY)
        facts = self._facts()
        for number, (name, value) in enumerate(facts):
            stands_on = y + 8 + number * BODY.step
            sheet.line(MIDDLE, stands_on, name, Style(9.5, colour=QUIET))
            sheet.line_to_right(RIGHT, stands_on, value, Style(9.5, BOLD, INK) if number == 0 else BODY)
        y += self._parties_height
        if self._event_title:
            sheet.line(LEFT, y + 8, "FOR", LABEL)
            y = sheet.lines(LEFT, y + 14, self._event_title, STRONG)
            sheet.lines(LEFT, y, self._about, BODY)
        return self._heading_height

    def _draw_rows(self, sheet: Sheet, rows: Sequence[_Row], y: float) -> float:
        sheet.line(LEFT, y + 10, "Description", LABEL)
        for edge, head in zip(self._columns, self._heads, strict=True):
            for number, text in enumerate(head):
                sheet.line_to_right(edge, y + 10 + number * LABEL.step, text, LABEL)
        y += self._head_height
        sheet.rule(LEFT, y - 10, RIGHT)
        for row in rows:
            y = self._draw_row(sheet, row, y)
        return y

    def _draw_row(self, sheet: Sheet, row: _Row, y: float) -> float:
        sheet.lines(LEFT, y - 4, row.description, CELL)
        for edge, text in zip(self._columns, row.cells, strict=True):
            sheet.line_to_right(edge, y - 4 + CELL.size, text, CELL)
        sheet.rule(LEFT, y + row.height - 8, RIGHT)
        return y + row.height

    def _draw_closing(self, sheet: Sheet, y: float) -> None:
        invoice = self._invoice
        y += 6
        if self._is_taxed:
            net, tax = (_grouped(money.as_text(amount, invoice.currency)) for amount in (invoice.subtotal, invoice.tax))
            y = self._draw_sum(sheet, y, "Total excl. tax", net, BODY)
            y = self._draw_sum(sheet, y, f"Tax {_percent(invoice.tax_rate)} on {net}", tax, BODY)
        total = f"{_grouped(money.as_text(invoice.total, invoice.currency))} {invoice.currency}"
        y = self._draw_sum(sheet, y + 3, "Total incl. tax" if self._is_taxed else "Total", total, SUM)
        notes = [self._settled(), "" if self._is_taxed else NO_TAX, GAPS if self._has_gaps else ""]
        sheet.lines(LEFT, y + 12, [note for note in notes if note], BODY)

    def _draw_sum(self, sheet: Sheet, y: float, name: str, amount: str, style: Style) -> float:
        sheet.line(MIDDLE - 20, y + style.size, name, style)
        sheet.line_to_right(RIGHT, y + style.size, amount, style)
        return y + style.step

    def _draw_foot(self, sheet: Sheet, page: int) -> None:
        sheet.rule(LEFT, HEIGHT - 48, RIGHT)
        sheet.line(LEFT, HEIGHT - 34, f"{self._kind} {self._invoice.number}", FINE)
        sheet.line_to_right(RIGHT, HEIGHT - 34, f"Page {page} of {len(self._pages)}", FINE)


def _date(local: datetime) -> str:
    return format_date(local, "j F Y")


def _grouped(amount: str) -> str:
    """Return an amount with its thousands apart."""
    return f"{Decimal(amount):,}"


def _percent(rate: Decimal | None) -> str:
    return f"{(rate or Decimal(0)).normalize():f} %"


def _country(code: str) -> str:
    return str(Locale("en").territories.get(code, code)) if code else ""
