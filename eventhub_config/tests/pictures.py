"""Pictures for tests, good ones and such as nobody would send by accident."""

import io
import struct
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

FORMATS = ("JPEG", "PNG", "WEBP")
SECRET = "52.520008 13.404954"  # in every place where a file can say where it was taken
SVG = b"""<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"""
# A GIF as well as a script: `GIF89a=1;` assigns a variable.
GIF_AND_SCRIPT = b"GIF89a=1;/*" + bytes(40) + b"*/alert(document.domain);"


def picture(
    kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", colour: Any = "teal", **options: Any
) -> bytes:
    """Return a picture of one colour."""
    return saved(Image.new(mode, size, colour), kind, **options)


def halves(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right, and darker in its upper half."""
    image = Image.new("RGB", size, "red")
    width, height = size
    image.paste("blue", (width // 2, 0, width, height))
    image.paste("maroon", (0, 0, width // 2, height // 2))
    image.paste("navy", (width // 2, 0, width, height // 2))
    return image


def noise(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    """Return a picture that compresses as badly as a photo does."""
    small = Image.effect_noise((max(1, size[0] // 4), max(1, size[1] // 4)), 60)
    return saved(
        Image.merge("RGB", [small, small.rotate(90).resize(small.size), small.rotate(180)]).resize(size),
        kind,
        **options,
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def pixel(image: Image.Image, at: tuple[int, int] = (30, 20)) -> tuple[int, ...]:
    """Return the values of a pixel that has several."""
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


def talkative(kind: str, size: tuple[int, int] = (60, 40)) -> bytes:
    """Return a picture that says where it was taken in every way that its format knows."""
    exif = Image.Exif()
    exif[0x010E] = SECRET  # description
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: SECRET}  # GPS
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, Any] = {"exif": exif, "icc_profile": profile}
    if kind == "JPEG":
        options |= {"comment": SECRET, "xmp": SECRET.encode()}
    elif kind == "WEBP":
        options |= {"xmp": SECRET.encode()}
    else:
        texts = PngInfo()
        texts.add_text("Comment", SECRET)
        texts.add_itxt("XML:com.adobe.xmp", SECRET)
        options |= {"pnginfo": texts}
    return saved(halves(size), kind, **options)


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    """Return a PNG, black and white with one bit a pixel, that says of itself whatever one likes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = png_chunk(b"IDAT", data or zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


def png_bomb(side: int = 50_000) -> bytes:
    """Return a PNG of that many pixels each way, all of them really there; a third of a megabyte at 50,000."""
    row = bytes(1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row * 1000) for _ in range(side // 1000))
    return png_of(side, side, data=packed + packer.flush())


def with_size(content: bytes, width: int, height: int) -> bytes:
    """Return a JPEG or WebP (lossy, simple) whose header claims another size."""
    if content.startswith(b"RIFF"):
        return content[:26] + struct.pack("<HH", width, height) + content[30:]
    at = next(i for marker in (b"\xff\xc0", b"\xff\xc2") if (i := content.find(marker)) > 0)
    return content[: at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]


def with_many_scans(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan is there again and again."""
    content = saved(halves((64, 64)), "JPEG", progressive=True)
    first, last = content[: content.rindex(b"\xff\xda")], content[content.rindex(b"\xff\xda") : -2]
    return first + last * (scans - first.count(b"\xff\xda")) + b"\xff\xd9"


def chunks_of_webp(content: bytes) -> list[bytes]:
    """Return the names of a WebP's chunks; all of the file must be chunks."""
    assert content[:4] + content[8:12] == b"RIFFWEBP"
    assert struct.unpack_from("<I", content, 4)[0] + 8 == len(content)
    names, at = [], 12
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at + 4)
        names.append(content[at : at + 4])
        at += 8 + length + length % 2
    assert at == len(content)
    return names


def upload(content: bytes, name: str = "picture.png", content_type: str = "image/png") -> dict[str, SimpleUploadedFile]:
    """Return what a test's client sends as ``multipart/form-data``."""
    return {"image": SimpleUploadedFile(name, content, content_type)}


def multipart(*parts: tuple[str, bytes], boundary: str = "xyz") -> bytes:
    """Return a body of parts, each with its ``Content-Disposition`` as it is given."""
    written = b"".join(
        b"--%b\r\nContent-Disposition: %b\r\nContent-Type: image/png\r\n\r\n%b\r\n"
        % (boundary.encode(), disposition.encode("utf-8"), content)
        for disposition, content in parts
    )
    return written + b"--%b--\r\n" % boundary.encode()
