"""A picture that is sent: refused by its header, or made anew from nothing but its pixels."""

import zlib
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from pytest_django import Settings

from eventhub_config.shared.errors import Busy, PayloadTooLarge
from eventhub_config.shared.images import decoder
from eventhub_config.shared.images.accepting import LONGEST_KEPT, LONGEST_TAKEN, accept
from eventhub_config.shared.images.headers import JPEG_MOST_SCANS
from eventhub_config.shared.images.refusals import (
    ImageDamaged,
    ImageMissing,
    ImageNotRecognised,
    ImageRefused,
    ImageTooManyPixels,
)
from eventhub_config.tests.pictures import (
    FORMATS,
    GIF_AND_SCRIPT,
    SECRET,
    SVG,
    chunks_of_webp,
    halves,
    noise,
    opened,
    picture,
    pixel,
    png_bomb,
    png_chunk,
    png_of,
    saved,
    talkative,
    with_many_scans,
    with_size,
)

ORIENTATION = 0x0112


def close(actual: Any, expected: tuple[int, ...], by: int = 12) -> bool:
    """Return whether two colours are the same but for what lossy compression does."""
    return len(actual) == len(expected) and all(abs(a - b) <= by for a, b in zip(actual, expected, strict=True))


def made(content: bytes) -> Image.Image:
    return opened(accept(content).content)


# --- What is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_takes_the_three_formats_and_makes_a_webp(kind: str) -> None:
    """USR-2, EVT-1"""
    taken = accept(picture(kind))

    image = opened(taken.content)
    assert (image.format, image.size, image.mode) == ("WEBP", (60, 40), "RGB")
    assert (taken.width, taken.height) == (60, 40)
    assert close(pixel(image, (30, 20)), (0, 128, 128))


@pytest.mark.parametrize("kind", FORMATS)
def test_keeps_nothing_that_is_not_a_pixel(kind: str) -> None:
    """RELIABILITY I6: no place, no profile, no comment."""
    sent = talkative(kind)
    assert SECRET.encode() in sent

    stored = accept(sent).content

    assert set(chunks_of_webp(stored)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
    for word in (SECRET.encode(), b"Exif", b"EXIF", b"GPS", b"ICCP", b"XMP", b"sRGB", b"http"):
        assert word not in stored
    assert not opened(stored).getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", FORMATS)
def test_stands_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    sent = saved(halves(), kind, exif=exif)

    image = made(sent)

    expected = ImageOps.exif_transpose(opened(sent)).convert("RGB")
    assert image.size == expected.size == ((60, 40) if orientation < 5 else (40, 60))
    for x in (8, image.width - 8):
        for y in (8, image.height - 8):
            assert close(pixel(image, (x, y)), pixel(expected, (x, y)), by=40)


def test_ignores_an_orientation_that_is_none() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 77

    assert made(saved(halves(), "JPEG", exif=exif)).size == (60, 40)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(picture("JPEG", mode="CMYK", colour=(0, 255, 255, 0)), (255, 0, 0), id="cmyk"),
        pytest.param(picture("JPEG", mode="L", colour=77), (77, 77, 77), id="grey"),
        pytest.param(picture("PNG", mode="1", colour=1), (255, 255, 255), id="one bit"),
        pytest.param(picture("PNG", mode="I;16", colour=0x8040), (128, 128, 128), id="sixteen bits"),
        pytest.param(picture("PNG", mode="P", colour=0), (0, 0, 0), id="palette"),
        pytest.param(picture("PNG", mode="LA", colour=(90, 128)), (90, 90, 90, 128), id="grey with transparency"),
        pytest.param(picture("PNG", mode="RGBA", colour=(9, 99, 200, 128)), (9, 99, 200, 128), id="transparency"),
        pytest.param(
            picture("WEBP", mode="RGBA", colour=(9, 99, 200, 128)), (9, 99, 200, 128), id="webp's transparency"
        ),
        pytest.param(picture("PNG", mode="RGB", colour="red", transparency=(255, 0, 0)), (0,), id="one colour missing"),
    ],
)
def test_knows_every_kind_of_pixel(content: bytes, expected: tuple[int, ...]) -> None:
    values = pixel(made(content))

    if len(expected) == 1:  # all that can be said of a pixel that nobody sees
        assert values[3] == 0
    else:
        assert close(values, expected)


def test_translates_colours_by_their_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")

    assert close(pixel(made(picture("PNG", colour="red", icc_profile=swapped)), (30, 20)), (0, 255, 0))
    assert close(
        pixel(made(picture("PNG", mode="RGBA", colour=(255, 0, 0, 128), icc_profile=swapped)), (30, 20)),
        (0, 255, 0, 128),
    )


@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_takes_colours_as_they_stand_where_the_profile_is_of_no_use(mode: str) -> None:
    for profile in (b"nonsense" * 40, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()):
        image = made(
            picture("PNG", mode=mode, colour=Image.new(mode, (1, 1), "gray").getpixel((0, 0)), icc_profile=profile)
        )

        assert close(pixel(image, (30, 20))[:3], (128, 128, 128))


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_takes_the_first_of_several_pictures(kind: str) -> None:
    more = [Image.new("RGB", (60, 40), "blue")]
    content = saved(Image.new("RGB", (60, 40), "red"), kind, save_all=True, append_images=more, duration=100)

    image = made(content)

    assert getattr(image, "n_frames", 1) == 1
    assert close(pixel(image, (30, 20)), (255, 0, 0))


@pytest.mark.parametrize("kind", FORMATS)
def test_shrinks_what_is_larger_than_anybody_is_shown(kind: str) -> None:
    taken = accept(saved(halves((2500, 1250)), kind))

    assert (taken.width, taken.height) == (LONGEST_KEPT, LONGEST_KEPT // 2)
    assert opened(taken.content).size == (LONGEST_KEPT, LONGEST_KEPT // 2)


@pytest.mark.parametrize("kind", FORMATS)
def test_gives_the_same_made_here_as_made_apart(kind: str) -> None:
    content = talkative(kind)

    assert accept(content, of_ours=True) == accept(content)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SVG, id="svg"),
        pytest.param(GIF_AND_SCRIPT, id="gif and script"),
        pytest.param(picture("GIF"), id="gif"),
        pytest.param(picture("BMP"), id="bmp"),
        pytest.param(picture("TIFF"), id="tiff"),
        pytest.param(picture("ICO"), id="ico"),
        pytest.param(picture("PDF"), id="pdf"),
        pytest.param(picture("EPS"), id="eps"),
        pytest.param(b"<html><script>alert(1)</script>" + picture("PNG"), id="html before a png"),
        pytest.param(b" " + picture("JPEG"), id="a space before a jpeg"),
        pytest.param(b"RIFF\x10\0\0\0AVI LIST" + bytes(40), id="avi"),
        pytest.param(b"x", id="a byte"),
        pytest.param(bytes(1000), id="zeros"),
    ],
)
def test_recognises_by_content_only_and_nothing_else(content: bytes) -> None:
    with pytest.raises(ImageNotRecognised) as refused:
        accept(content)

    assert refused.value.errors[0]["field"] == "image"


def test_an_empty_file_is_none() -> None:
    with pytest.raises(ImageMissing):
        accept(b"")


def test_a_jpeg_that_is_a_page_too_is_harmless() -> None:
    page = b"<html><script>alert(document.domain)</script></html>"
    sent = picture("JPEG", comment=page) + page

    stored = accept(sent).content

    assert b"<" + b"script" not in stored
    assert stored[:4] == b"RIFF"


def test_counts_bytes_first(settings: Settings) -> None:
    content = picture("PNG")
    settings.IMAGE_MAX_BYTES = len(content)

    accept(content)
    with pytest.raises(PayloadTooLarge, match="MiB at most"):
        accept(content + b"\0")


def test_counts_pixels_before_it_decodes(settings: Settings) -> None:
    settings.IMAGE_MAX_PIXELS = 60 * 40

    accept(picture("PNG"))
    for kind in FORMATS:
        with pytest.raises(ImageTooManyPixels, match=r"61 x 40 pixels; at most 0\.0024 million"):
            accept(picture(kind, size=(61, 40)))


def test_a_side_can_be_too_long_by_itself() -> None:
    accept(png_of(LONGEST_TAKEN, 1, data=zlib.compress(bytes(1 + LONGEST_TAKEN // 8))))
    with pytest.raises(ImageTooManyPixels):
        accept(png_of(LONGEST_TAKEN + 1, 1))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png_of(50_000, 50_000), id="png"),
        pytest.param(png_of(2**31 - 1, 2**31 - 1), id="png, the largest"),
        pytest.param(png_of(2**32 - 1, 1), id="png, beyond"),
        pytest.param(with_size(picture("JPEG"), 50_000, 50_000), id="jpeg"),
        pytest.param(with_size(picture("JPEG", progressive=True), 65_535, 65_535), id="progressive jpeg"),
        pytest.param(with_size(picture("WEBP"), 16_383, 16_383), id="webp"),
        pytest.param(b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6 + bytes(20), id="extended webp"),
    ],
)
def test_fifty_thousand_pixels_each_way_are_refused_by_the_header(content: bytes) -> None:
    """RELIABILITY I6: a decompression bomb that only claims to be one."""
    with pytest.raises(ImageTooManyPixels):
        accept(content)


def test_fifty_thousand_pixels_that_are_really_there_are_refused_too() -> None:
    """RELIABILITY I6: 2,500,000,000 pixels in a third of a megabyte."""
    bomb = png_bomb()
    assert len(bomb) < 500_000

    with pytest.raises(ImageTooManyPixels):
        accept(bomb)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png_of(5000, 5000), id="png"),
        pytest.param(with_size(picture("WEBP"), 5000, 5000), id="webp"),
    ],
)
def test_a_header_that_promises_more_than_comes_is_told_as_damage(content: bytes) -> None:
    with pytest.raises(ImageDamaged):
        accept(content)


def test_what_a_jpeg_promises_and_does_not_hold_is_grey() -> None:
    """Its decoder fills in what is missing, and does not take it for damage if the file is closed properly."""
    assert close(pixel(made(with_size(picture("JPEG"), 5000, 5000)), (1999, 1999)), (128, 128, 128))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png_of(60, 40, png_chunk(b"IHDR", bytes(13))), id="two headers"),
        pytest.param(picture("PNG").replace(b"IHDR", b"tEXt", 1), id="no header"),
        pytest.param(picture("PNG").replace(b"IDAT", b"tEXt"), id="no pixels"),
        pytest.param(png_of(0, 40), id="no width"),
        pytest.param(png_of(60, 40, *[png_chunk(b"tEXt", b"")] * 60_000), id="60,000 chunks"),
        pytest.param(with_size(picture("JPEG"), 60, 0), id="no height"),
        pytest.param(b"\xff\xd8\xff\xd9" + bytes(40), id="a jpeg that is over at once"),
        pytest.param(b"\xff\xd8" + b"\xff\x01" * 60_000, id="a jpeg of marks alone"),
        pytest.param(b"\xff\xd8" + b"\xff" * 60_000, id="a jpeg of filling alone"),
        pytest.param(with_many_scans(JPEG_MOST_SCANS + 1), id="a jpeg with too many scans"),
        pytest.param(b"RIFF\x20\0\0\0WEBPVP8Z" + bytes(40), id="a webp of another kind"),
        pytest.param(b"RIFF\x04\0\0\0WEBP", id="an empty webp"),
    ],
)
def test_what_only_begins_like_a_picture_is_damaged(content: bytes) -> None:
    with pytest.raises(ImageDamaged):
        accept(content)


def test_a_jpeg_may_have_as_many_scans_as_any_encoder_makes() -> None:
    assert accept(with_many_scans(JPEG_MOST_SCANS)).width == 64


def test_texts_that_unfold_are_never_read() -> None:
    """60 of them, a megabyte each when unfolded."""
    folded = b"Comment\0\0" + zlib.compress(bytes(1_000_000), 9)
    body = zlib.compress(bytes(9 * 40))
    texts = [png_chunk(name, folded) for name in (b"zTXt", b"iTXt") for _ in range(30)]

    assert accept(png_of(60, 40, *texts, data=body)).width == 60


def test_a_profile_that_unfolds_is_refused() -> None:
    profile = png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(bytes(50_000_000), 9))

    with pytest.raises(ImageDamaged):
        accept(png_of(60, 40, profile, data=zlib.compress(bytes(9 * 40))))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_picture_is_damaged(kind: str, share: float) -> None:
    whole = noise(kind, (300, 200))

    with pytest.raises(ImageDamaged):
        accept(whole[: int(len(whole) * share)])


# --- What nobody thought of -------------------------------------------------------------------------------------------

SMALL = [picture(kind, size=(24, 16)) for kind in FORMATS]
SMALL += [talkative(kind, (24, 16)) for kind in FORMATS]
SMALL += [picture("JPEG", size=(24, 16), progressive=True), picture("WEBP", size=(24, 16), mode="RGBA", lossless=True)]
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)


@hypothesis.settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(content=st.sampled_from(SMALL), changes=CHANGES, near_the_start=st.booleans())
def test_a_file_with_other_bytes_is_refused_or_harmless(
    content: bytes, changes: list[tuple[float, int]], near_the_start: bool
) -> None:
    """RELIABILITY I6"""
    bent = bytearray(content)
    for where, value in changes:
        bent[int(where * (min(64, len(bent)) if near_the_start else len(bent)))] = value

    try:
        taken = accept(bytes(bent), of_ours=True)
    except ImageRefused:
        return

    assert set(chunks_of_webp(taken.content)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


@hypothesis.settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP", b"RIFF\x40\0\0\0WEBPVP8X"]
    ),
    rest=st.binary(max_size=200),
)
def test_noise_behind_a_signature_is_refused(start: bytes, rest: bytes) -> None:
    with pytest.raises(ImageRefused):
        accept(start + rest or b"\0", of_ours=True)


def test_a_decoder_that_takes_too_much_ends_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    greedy = tmp_path / "decoder.py"
    for program in ("import os; os.abort()", "import sys; sys.stdout.buffer.write(b'<html>')", "raise MemoryError"):
        greedy.write_text(program)
        monkeypatch.setattr("eventhub_config.shared.images.accepting.DECODER", greedy)

        with pytest.raises(ImageDamaged):
            accept(picture("PNG"))


def test_a_decoder_has_more_memory_where_more_pixels_are_allowed(settings: Settings) -> None:
    settings.IMAGE_MAX_PIXELS = 75_000_000
    large = picture("WEBP", (10_000, 7500), "RGBA", lossless=True, method=0)

    assert made(large).size == (2000, 1500)


def test_a_decoder_that_takes_too_long_is_told_as_damage(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The limit on its time ends it with another signal than a system does that is out of memory."""
    endless = tmp_path / "decoder.py"
    endless.write_text(
        f"import sys; sys.path.insert(0, {str(Path(decoder.__file__).parent)!r})\n"
        "import resource, decoder\n"
        "decoder._limit(resource.RLIMIT_CPU, 1, 3)\n"
        "while True: pass"
    )
    monkeypatch.setattr("eventhub_config.shared.images.accepting.DECODER", endless)

    with pytest.raises(ImageDamaged):
        accept(picture("PNG"))


def test_a_decoder_that_was_killed_or_cannot_be_started_is_no_fault_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    killed = tmp_path / "decoder.py"
    killed.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with monkeypatch.context() as patch:
        patch.setattr("eventhub_config.shared.images.accepting.DECODER", killed)
        with pytest.raises(Busy):
            accept(picture("PNG"))

    monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere"))
    with pytest.raises(Busy):
        accept(picture("PNG"))


def test_the_decoder_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    spy, told = tmp_path / "decoder.py", tmp_path / "told"
    spy.write_text(f"import os; open({str(told)!r}, 'w').write(repr(dict(os.environ)))")
    monkeypatch.setenv("S3_SECRET_KEY", "a-secret")
    monkeypatch.setattr("eventhub_config.shared.images.accepting.DECODER", spy)

    with pytest.raises(ImageDamaged):
        accept(picture("PNG"))

    assert "PATH" in told.read_text()
    assert "SECRET" not in told.read_text()


def test_web_processes_do_not_hold_the_decoder_in_memory() -> None:
    """Importing all that a web process imports imports no Pillow."""
    import subprocess
    import sys

    program = "import eventhub_config.wsgi, eventhub_config.urls, sys; print('PIL' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout == "False\n"
