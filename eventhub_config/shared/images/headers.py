"""What a file says about itself before anybody decodes it: its format and its size in pixels.

Read here, in Python, and by nothing that could be brought to allocate what a header claims. The name of a file and the
content type that it was sent with are not asked.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from eventhub_config.shared.images.refusals import ImageDamaged, ImageNotRecognised

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# All that makes a still picture. Left out are texts, which may unfold to a thousand times their size, and animations.
PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND"})
# Start of frame, of the kinds that are in use: baseline, extended, progressive. Source: ITU-T T.81, table B.1.
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
JPEG_ENDS_HEADER = frozenset({0xD8, 0xD9, 0xDA})
# Each further scan goes over the whole picture again, and can be a few bytes long. Encoders make ten or so.
JPEG_MOST_SCANS = 100
MOST_PARTS = 50_000


@dataclass(frozen=True)
class Header:
    """``content`` is the part of the file that is a picture."""

    kind: str
    width: int
    height: int
    content: bytes


def read_header(content: bytes) -> Header:
    """Return what a file is.

    :raises ImageNotRecognised: it is neither JPEG, PNG nor WebP.
    :raises ImageDamaged: it begins like one of them, and does not go on like that.
    """
    try:
        header = _reader(content)(content)
    except (struct.error, IndexError) as error:  # it ends in the middle of its header
        raise ImageDamaged from error
    if not header.width or not header.height:
        raise ImageDamaged
    return header


def _reader(content: bytes) -> Callable[[bytes], Header]:
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if content.startswith(PNG_SIGNATURE):
        return _png
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp
    raise ImageNotRecognised


def _jpeg(content: bytes) -> Header:
    if content.count(b"\xff\xda") > JPEG_MOST_SCANS:
        raise ImageDamaged
    at = 2
    for _ in range(MOST_PARTS):
        if content[at] != 0xFF:
            break
        while content[at] == 0xFF:  # any number of fill bytes
            at += 1
        marker, at = content[at], at + 1
        if marker in JPEG_FRAMES:
            _length, _precision, height, width = struct.unpack_from(">HBHH", content, at)
            return Header("JPEG", width, height, content)
        if marker in JPEG_ENDS_HEADER:
            break
        if marker not in JPEG_WITHOUT_LENGTH:
            (length,) = struct.unpack_from(">H", content, at)
            at += max(2, length)
    raise ImageDamaged


def _png(content: bytes) -> Header:
    chunks = [(name, chunk) for name, chunk in _png_chunks(content) if name in PNG_CHUNKS]
    names = [name for name, _chunk in chunks]
    once = [name for name in names if name != b"IDAT"]
    if names[:1] != [b"IHDR"] or b"IDAT" not in names or len(set(once)) != len(once):
        raise ImageDamaged
    width, height = struct.unpack_from(">II", chunks[0][1], 8)
    return Header("PNG", width, height, b"".join([PNG_SIGNATURE, *(chunk for _name, chunk in chunks)]))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and bytes of each chunk up to the end of the picture; what follows it is none of it."""
    at = len(PNG_SIGNATURE)
    for _ in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            break
        yield name, content[at:end]
        if name == b"IEND":
            return
        at = end
    raise ImageDamaged


def _webp(content: bytes) -> Header:
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise ImageDamaged
    kind = content[12:16]
    if kind == b"VP8X":  # Source: RFC 9649, sections 2.6, 2.7 and 3.4
        packed = content[24:30]
        width, height = 1 + int.from_bytes(packed[:3], "little"), 1 + int.from_bytes(packed[3:], "little")
        if len(packed) < 6:
            raise ImageDamaged
    elif kind == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    else:
        raise ImageDamaged
    return Header("WEBP", width, height, content[: size + 8])
