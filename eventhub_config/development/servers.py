"""Runs a command beside a throw-away PostgreSQL and Valkey: ``python -m eventhub_config.development.servers COMMAND``.

The command finds them in ``DATABASE_URL`` and ``REDIS_URL``, unless those name others already, and both end with it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from eventhub_config.development import embedded


def main() -> int:
    command = sys.argv[1:]
    if not command:
        sys.exit(__doc__)
    with contextlib.ExitStack() as servers:
        try:
            if not os.environ.get("DATABASE_URL"):
                os.environ["DATABASE_URL"] = servers.enter_context(embedded.postgres()).url
            if not os.environ.get("REDIS_URL"):
                os.environ["REDIS_URL"] = servers.enter_context(embedded.valkey()).url
        except embedded.ServerUnavailable as reason:
            sys.exit(str(reason))
        try:
            return subprocess.run(command, check=False).returncode
        except KeyboardInterrupt:  # the command got it too
            return 130  # Source: what shells answer for it, 128 + SIGINT


if __name__ == "__main__":
    sys.exit(main())
