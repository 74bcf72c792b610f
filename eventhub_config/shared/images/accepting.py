"""Taking a picture that somebody sent: refused by its header if it must be, and made anew from its pixels if not.

Pixels are decoded in a process of their own, with limits of memory and time: what a decoder can be brought to do by a
file that somebody made up (allocate, loop, crash, worse) does not happen in the web process. See
docs/decisions/pictures.md.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from eventhub_config.shared.errors import Busy, PayloadTooLarge
from eventhub_config.shared.images.headers import Header, read_header
from eventhub_config.shared.images.refusals import (
    ImageDamaged,
    ImageMissing,
    ImageNotRecognised,
    ImageTooManyPixels,
)

logger = logging.getLogger(__name__)

LONGEST_TAKEN = 16_000  # pixels
LONGEST_KEPT = 2000  # the largest rendition is 1600 wide
DECODER = Path(__file__).with_name("decoder.py")
# What Python needs to find itself; nothing of ours, and no secrets.
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
PATIENCE_SECONDS = 20
QUEUE_SECONDS = 5

_one_at_a_time = threading.Lock()  # however many threads serve requests: each picture takes memory of its own


@dataclass(frozen=True)
class Picture:
    """A picture of ours: a WebP with nothing in it but pixels."""

    content: bytes
    width: int
    height: int


def accept(content: bytes, *, of_ours: bool = False) -> Picture:
    """Return the picture in a file. Not within a transaction: it takes a moment.

    ``of_ours`` is for pictures that this program drew itself: they are decoded on the spot.

    :raises ImageRefused: one of its subclasses says why it is not taken.
    :raises PayloadTooLarge: it has too many bytes.
    :raises Busy: too many are being decoded, or the machine has nothing left for one.
    """
    if not content:
        raise ImageMissing("The file is empty.")
    if len(content) > settings.IMAGE_MAX_BYTES:
        raise too_many_bytes()
    header = read_header(content)
    _check_size(header)
    return _checked(_decode_here(header) if of_ours else _decode_apart(header))


def too_many_bytes() -> PayloadTooLarge:
    return PayloadTooLarge(f"Send a picture of {settings.IMAGE_MAX_BYTES / 1_048_576:.3g} MiB at most.")


def _check_size(header: Header) -> None:
    width, height = header.width, header.height
    if max(width, height) > LONGEST_TAKEN:
        raise ImageTooManyPixels(f"The picture is {width} x {height} pixels; no side may have over {LONGEST_TAKEN}.")
    if width * height > settings.IMAGE_MAX_PIXELS:
        most = settings.IMAGE_MAX_PIXELS / 1_000_000
        raise ImageTooManyPixels(f"The picture is {width} x {height} pixels; at most {most:g} million are taken.")


def _decode_here(header: Header) -> bytes:
    from eventhub_config.shared.images.decoder import Unreadable, decode  # Pillow: else not in a web process's memory

    try:
        return decode(header.content, header.kind, (header.width, header.height), LONGEST_KEPT)
    except Unreadable as error:
        raise ImageDamaged from error


def _decode_apart(header: Header) -> bytes:
    arguments = [header.kind, *map(str, (header.width, header.height, LONGEST_KEPT))]
    if not _one_at_a_time.acquire(timeout=QUEUE_SECONDS):
        raise Busy
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-B", str(DECODER), *arguments],
            input=header.content,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Busy from error
    except OSError as error:  # the machine has no process or no memory left to start one
        logger.exception("The decoder of pictures cannot be started")
        raise Busy from error
    finally:
        _one_at_a_time.release()
    if ended.returncode == -signal.SIGKILL:  # by none of its own limits: the machine ran out of memory
        logger.error("The decoder of pictures was killed")
        raise Busy
    if ended.returncode:  # 1: it says why; below 0: a limit, or a crash
        reason = ended.stderr[-300:].decode(errors="replace").strip()
        logger.info("Decoding a picture ended with %s: %s", ended.returncode, reason)
        raise ImageDamaged
    return ended.stdout


def _checked(made: bytes) -> Picture:
    """Look that what was made is what it should be: the process that made it may have been taken over."""
    try:
        header = read_header(made)
    except (ImageNotRecognised, ImageDamaged) as error:
        raise ImageDamaged from error
    if header.kind != "WEBP" or header.content != made or max(header.width, header.height) > LONGEST_KEPT:
        raise ImageDamaged
    return Picture(made, header.width, header.height)
