"""Short unguessable references that people quote."""

import secrets

# Crockford's base 32: no I, L, O or U, so nothing is misread or misheard. Source: https://www.crockford.com/base32.html
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def booking_reference() -> str:
    """Return eight characters (40 bits) in two groups, such as ``7K3M-9QXW``."""
    return f"{_random(4)}-{_random(4)}"


def ticket_code() -> str:
    """Return twenty characters (100 bits): whoever knows the code can use the ticket."""
    return _random(20)


def opaque_key() -> str:
    """Return a key for a gateway or another machine (130 bits)."""
    return _random(26)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
