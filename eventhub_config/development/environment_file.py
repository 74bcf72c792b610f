"""What `make env` runs: writes a `.env` from `.env.example`, with secrets of its own."""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / ".env.example"
ENVIRONMENT_FILE = CHECKOUT / ".env"
SECRET_BYTES = {"SECRET_KEY": 48, "POSTGRES_PASSWORD": 24}


def write(path: Path | None = None, **changes: str) -> bool:
    """Write the file unless there is one, and say whether it was written.

    Only the owner may read it. ``changes`` are values that differ from the example.
    """
    text = EXAMPLE.read_text()
    for name, value in {**_new_secrets(), **changes}.items():
        text = re.sub(rf"^#?{name}=.*$", f"{name}={value}", text, count=1, flags=re.MULTILINE)
    try:
        descriptor = os.open(path or ENVIRONMENT_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return True


def _new_secrets() -> dict[str, str]:
    return {name: secrets.token_urlsafe(size) for name, size in SECRET_BYTES.items()}


def main() -> int:
    if write():
        print(f"Wrote .env with a new {' and a new '.join(SECRET_BYTES)}. It allows mock payments and demo data.")
        print(
            "Before real use, look at ALLOWED_HOSTS, FRONTEND_URL, EMAIL_*, PAYMENT_GATEWAY and ALLOW_DEMO_DATA in it."
        )
    else:
        print("There is a .env already; it stays as it is. Remove it first to have a new one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
