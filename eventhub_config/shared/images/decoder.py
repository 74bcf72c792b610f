"""Makes a picture anew from the pixels of another one. Also a program, run as a process of its own; see ``accepting``.

As a program it takes kind, width, height and the longest side of the new picture as arguments and the file as input,
and writes the new picture. It imports nothing of ours and no Django, so that it starts in a few
hundredths of a second; it is given no secrets, and as much memory and time as one picture needs.
"""

import contextlib
import io
import resource
import sys

from PIL import Image, ImageCms, ImageOps

QUALITY = 88
METHOD = 4  # of WebP: 6 is a tenth smaller and takes twice the time
# Uncompressed pixels four times over, which is what reading a WebP of 25 million pixels takes, and the program itself.
MEMORY_BYTES = 1024 * 1024 * 1024
USUAL_PIXELS = 25_000_000
BYTES_FOR_A_PIXEL = 24  # of more memory, where more pixels than usual are allowed (IMAGE_MAX_PIXELS)
CPU_SECONDS = 15
ORIENTATION = 0x0112  # the tag in EXIF
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unreadable(Exception):
    """The file is not what its header says, or cannot be read to its end."""


def decode(content: bytes, kind: str, size: tuple[int, int], longest: int) -> bytes:
    """Return the first picture in a file as WebP: upright, in sRGB, and no side of it longer than ``longest``.

    :raises Unreadable: there is none.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            if opened.size != size:
                raise Unreadable(f"{opened.size} is not {size}")
            upright = TURNS.get(_orientation(opened))
            profile = opened.info.get("icc_profile")
            # A JPEG can be read at a half, a quarter or an eighth of its size, for a fraction of the memory.
            opened.draft(None, (longest, longest))
            opened.load()
            image = _eight_bits(opened)
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
            image = _in_srgb(image, profile)
        if upright is not None:
            image = image.transpose(upright)
        return as_webp(image)
    except Unreadable:
        raise
    except Exception as error:  # whatever a decoder says of a file that somebody made up
        raise Unreadable(repr(error)) from error


def rendition(master: bytes, side: int, *, square: bool) -> bytes:
    """Return a smaller picture from one of ours: a square cut from the middle, or of that width. Never enlarged."""
    with Image.open(io.BytesIO(master), formats=["WEBP"]) as image:
        if square:
            side = min(side, *image.size)
            return as_webp(ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS))
        image.thumbnail((side, image.height), Image.Resampling.LANCZOS)
        return as_webp(image)


def as_webp(image: Image.Image) -> bytes:
    """Return the pixels as WebP, without profile, EXIF, XMP or comments."""
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=METHOD, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue()


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # EXIF that cannot be read says nothing
        return int(image.getexif().get(ORIENTATION, 1))
    return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be shrunk: eight bits for each channel, and no palette."""
    if image.mode.startswith("I;16"):
        # The high byte of each pixel: converting would cut everything above 255 to white.
        high = 1 if sys.byteorder == "little" else 0
        return Image.frombytes("L", image.size, image.tobytes("raw", "I;16N")[high::2])
    if image.has_transparency_data:
        return image if image.mode in {"RGBA", "LA"} else image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK", "LAB"} else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile:
        # A profile for other channels than the picture's, or a broken one: the colours are taken as they stand.
        with contextlib.suppress(Exception):
            return _by_profile(image, profile, mode)
    return image.convert(mode)


def _by_profile(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    # Grey with transparency: the transformation knows the grey alone.
    colours = image.getchannel("L") if image.mode == "LA" else image
    made = ImageCms.profileToProfile(colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)), target, outputMode=mode)
    if made is None:
        raise ValueError("changed in place, which was not asked for")
    if mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    return made


def _limit(what: int, most: int, at_last: int | None = None) -> None:
    with contextlib.suppress(OSError, ValueError):  # not every system limits everything
        resource.setrlimit(what, (most, most if at_last is None else at_last))


def main() -> None:
    kind, width, height, longest = sys.argv[1:]
    pixels = int(width) * int(height)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES + BYTES_FOR_A_PIXEL * max(0, pixels - USUAL_PIXELS))
    # Soft before hard: the one ends it with SIGXCPU, the other like a system that is out of memory.
    _limit(resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 2)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)  # it writes to a pipe only
    try:
        made = decode(sys.stdin.buffer.read(), kind, (int(width), int(height)), int(longest))
    except Unreadable as error:
        sys.exit(ascii(str(error)))  # on stderr, on one line
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
