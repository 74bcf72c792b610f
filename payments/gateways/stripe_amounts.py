"""Amounts as Stripe writes them: whole numbers of what Stripe takes for a currency's smallest unit.

Its decimals are neither ISO 4217's nor CLDR's: a currency has two of them unless it is named here. Of three-decimal
currencies the last digit has to be 0. Icelandic krona and Ugandan shilling have no decimals and are written with two;
the latter is on Stripe's list of zero-decimal currencies as well, where its special case goes before.
Source: https://docs.stripe.com/currencies#minor-units, #zero-decimal, #three-decimal and #special-cases
"""

from decimal import Decimal

_WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_WITH_THREE = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def smallest_units(amount: Decimal, currency: str) -> int | None:
    """Return an amount as Stripe writes it, or None if Stripe cannot take exactly that."""
    units = amount.scaleb(_decimals(currency))
    if units != units.to_integral_value() or (currency in _WITH_THREE and units % 10):
        return None
    return int(units)


def from_smallest_units(units: int, currency: str) -> Decimal:
    return Decimal(units).scaleb(-_decimals(currency))


def _decimals(currency: str) -> int:
    if currency in _WITHOUT_DECIMALS:
        return 0
    return 3 if currency in _WITH_THREE else 2
