"""Validators that mean the same everywhere."""

import re
import unicodedata
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError

# Source: RFC 5646 section 2.1, without the grandfathered tags.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def validate_timezone(value: str) -> None:
    """Refuse what is not an IANA time zone, such as ``Europe/Berlin``."""
    if value not in _zones():
        raise ValidationError("This is not an IANA time zone, such as Europe/Berlin.", "unknown_timezone")


def validate_language(value: str) -> None:
    """Refuse what is not a language tag, such as ``en`` or ``pt-BR``."""
    if not _LANGUAGE_TAG.fullmatch(value):
        raise ValidationError("This is not a language tag, such as en or pt-BR.", "unknown_language")


def validate_web_address(value: str) -> None:
    """Refuse schemes that a link in a page must not have."""
    if not value.lower().startswith(("https://", "http://")):
        raise ValidationError("Begin with https:// or http://.", "invalid_scheme")


def validate_single_line(value: str) -> None:
    """Refuse line breaks and other control characters: they forge headers of mails and rows of exports."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValidationError("Line breaks and control characters are not allowed here.", "control_character")


def validate_short_texts(value: Any) -> None:
    """Refuse what is not a list of at most 30 short texts."""
    if not isinstance(value, list) or len(value) > 30 or not all(isinstance(item, str) for item in value):
        raise ValidationError("Send a list of at most 30 texts.", "invalid_list")
    for item in value:
        if not 1 <= len(item) <= 60:
            raise ValidationError("Each text has 1 to 60 characters.", "invalid_list")
        validate_single_line(item)
