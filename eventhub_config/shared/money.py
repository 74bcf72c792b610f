"""Amounts are ``Decimal`` with an ISO 4217 currency and that currency's number of decimals."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision

# The widest exponent of the currencies that are in use (Kuwaiti dinar: 3), and what fits beside it.
DECIMAL_PLACES = 3
MAX_DIGITS = 17
ZERO = Decimal(0)
# The dearest seat; times the most seats that a booking can have, it still fits the column.
LARGEST_PRICE = Decimal(1_000_000_000)


@cache
def currencies() -> tuple[str, ...]:
    """Return the codes of the currencies that are legal tender somewhere today (CLDR, through babel)."""
    in_use = {
        code
        for entries in get_global("territory_currencies").values()
        for code, _start, end, is_tender in entries
        if is_tender and end is None
    }
    return tuple(sorted(code for code in in_use if exponent(code) <= DECIMAL_PLACES))


@cache
def exponent(currency: str) -> int:
    """Return the number of decimals of a currency: JPY 0, EUR 2, KWD 3."""
    return get_currency_precision(currency)


@cache
def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-exponent(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's smallest unit."""
    return amount.quantize(_unit(currency), rounding=ROUND_HALF_UP)


def fits(amount: Decimal, currency: str) -> bool:
    """Return whether an amount has no more decimals than its currency."""
    return amount == rounded(amount, currency)


def as_text(amount: Decimal, currency: str) -> str:
    """Return the amount as the API writes it: ``"12.50"`` in EUR, ``"1250"`` in JPY."""
    return str(rounded(amount, currency))
