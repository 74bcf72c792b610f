"""CSV files that spreadsheets open: what people typed is text there, and never a formula."""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import StringIO

CSV = "text/csv"
# What a cell may not begin with, in the wide forms of East Asian scripts too. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def csv_file(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV file (RFC 4180) in UTF-8, with the mark by which spreadsheets know that."""
    text = StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    # Nobody types these: a negative amount is to be added up.
    return str(value) if isinstance(value, int | Decimal) else harmless(str(value))


def harmless(text: str) -> str:
    """Return a cell's text in one line; behind an apostrophe if a spreadsheet would take it for a formula."""
    line = " ".join(text.split()) if any(mark in text for mark in "\r\n\t") else text
    return f"'{line}" if text.startswith(_FORMULA) or line.lstrip().startswith(_FORMULA) else line
