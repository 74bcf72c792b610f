"""Letters on paper: all that can be printed are, the others are left out and never become empty boxes."""

import os
import struct
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from eventhub_config.shared.documents.sheet import HEIGHT, Sheet, Style, fitted, width_of, wrapped
from eventhub_config.shared.documents.typefaces import BOLD, REGULAR, runs, written
from eventhub_config.tests.paper import baselines, texts

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Style(12)


def printed(text: str) -> str:
    """Return what a program reads from a page with this line."""
    sheet = Sheet(title="A test", author="")
    sheet.line(50, 50, sheet.printable(text), PLAIN)
    sheet.turn_page()
    return texts(sheet.finish())[0]


# --- Which letters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [REGULAR, BOLD])
@pytest.mark.parametrize(
    ("first", "last"), [(0x20, 0x7E), (0xA1, 0x17F), (0x391, 0x3A1), (0x3B1, 0x3C9), (0x400, 0x45F), (0x1EA0, 0x1EF9)]
)
def test_every_letter_of_latin_greek_and_cyrillic_has_a_typeface(weight: str, first: int, last: int) -> None:
    letters = "".join(chr(code) for code in range(first, last + 1) if code != 0xAD)  # but the soft hyphen

    assert "".join(run.text for run in runs(letters, weight, 12)) == letters


def test_a_text_becomes_one_line_without_control_characters() -> None:
    assert written(" Zero\r\nto\x00\tAPI\u2028now ") == ("Zero to API now", False)


def test_what_turns_or_hides_text_is_removed() -> None:
    assert written("\u202ebid\u202c a\u200bb \ufeffc") == ("bid ab c", False)


def test_decoration_is_left_out_silently() -> None:
    assert written("Party \U0001f389\ufe0f now \U0001f469\u200d\U0001f680!") == ("Party now !", False)


def test_words_that_cannot_be_printed_become_one_ellipsis_in_a_row() -> None:
    assert written("東京 夜 Python 会") == ("… Python …", True)


def test_nothing_that_can_be_printed_is_nothing() -> None:
    assert written("山田 太郎") == ("", True)
    assert written("") == ("", False)
    assert written("\U0001f389") == ("", False)


def test_the_log_names_scripts_and_no_names(caplog: pytest.LogCaptureFixture) -> None:
    written("山田 Taro")

    assert "CJK" in caplog.text
    assert "山田" not in caplog.text
    assert "Taro" not in caplog.text


@pytest.mark.parametrize("name", ["Zoe\u0308\u0301\u0301 Ada", "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f"])
def test_what_follows_marks_above_one_another_stands_on_its_own_line(name: str) -> None:
    sheet = Sheet(title="A test", author="")
    sheet.line(50, 100, sheet.printable(name), PLAIN)
    sheet.line(50, 300, "HILT", PLAIN)  # letters that stand flat

    assert baselines(sheet.finish(), "HILT") == [pytest.approx(HEIGHT - 300, abs=0.05)] * 4


def test_a_letter_and_its_marks_are_of_one_typeface() -> None:
    # An n with two dots is no letter of its own, and Fira Sans has these dots with some letters only.
    assert len(list(runs("n\u0308", REGULAR, 12))) == 1
    assert written("Spin\u0308al Tap") == ("Spin\u0308al Tap", False)


def test_words_from_right_to_left_begin_on_the_right() -> None:
    separate = [next(runs(word, REGULAR, 12)).text for word in ("محمد", "علي")]

    together = "".join(run.text for run in runs("محمد علي", REGULAR, 12))

    assert together == f"{separate[1]} {separate[0]}"


def test_arabic_letters_are_joined() -> None:
    (run,) = runs("ممم", REGULAR, 12)

    # At the end, in the middle and at the beginning of a word, the same letter is written otherwise.
    assert len(set(run.text)) == 3


def test_devanagari_is_put_together() -> None:
    assert width_of("क्ष", REGULAR, 12) < width_of("क", REGULAR, 12) + width_of("ष", REGULAR, 12)


# --- Fitting ----------------------------------------------------------------------------------------------------------


def test_lines_break_between_words_and_lose_none() -> None:
    text = "Reading a query plan from the first row to the last index scan"

    lines = wrapped(text, PLAIN, width=120, most=20)

    assert " ".join(lines) == text
    assert len(lines) > 2
    assert all(width_of(line, REGULAR, 12) <= 120 for line in lines)


def test_a_word_that_is_too_long_is_broken() -> None:
    lines = wrapped("W" * 40, PLAIN, width=100, most=20)

    assert "".join(lines) == "W" * 40
    assert all(width_of(line, REGULAR, 12) <= 100 for line in lines)


def test_what_does_not_fit_ends_in_an_ellipsis_within_the_width() -> None:
    lines = wrapped("word " * 50, PLAIN, width=100, most=2)

    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert width_of(lines[-1], REGULAR, 12) <= 100


def test_a_text_that_is_exactly_as_wide_as_its_place_fits() -> None:
    width = width_of("Zero to API", REGULAR, 12)

    assert wrapped("Zero to API", PLAIN, width=width, most=1) == ["Zero to API"]
    assert wrapped("Zero to API", PLAIN, width=width - 1, most=2) == ["Zero to", "API"]


def test_the_largest_size_that_fits_is_taken() -> None:
    styles = [Style(20), Style(12), Style(6)]
    width = width_of("Zero to API", REGULAR, 12)

    assert fitted("Zero to API", styles, width=width, most=1) == (["Zero to API"], styles[1])
    assert fitted("Zero to API " * 9, styles, width=width, most=1)[1] == styles[2]


def test_the_same_content_is_the_same_file() -> None:
    def make() -> bytes:
        sheet = Sheet(title="Zero to API", author="Ada")
        sheet.line(50, 50, "Zero to API", PLAIN)
        sheet.qr_code("0123456789ABCDEFGHJK", 50, 80, 100)
        sheet.turn_page()
        return sheet.finish()

    assert make() == make()


def test_greek_and_cyrillic_can_be_searched_and_copied() -> None:
    assert printed("Ελλάδα и Москва") == "Ελλάδα и Москва"


# --- Typefaces from outside, and the price of all this ----------------------------------------------------------------


def typeface_for(letters: str) -> bytes:
    """Return a font whose letter A stands for each of these: what a folder of fonts might hold."""
    font = bytearray((files("fontpkg_fira_sans") / "files" / "FiraSans-Regular.ttf").read_bytes())
    for encoding in ("ascii", "utf-16-be"):  # a name of its own
        font = font.replace("FiraSans-Regular".encode(encoding), "HanFont-Regular2".encode(encoding))
    ends = [ord(letter) for letter in sorted(letters)]
    segments = [*((end, end, (36 - end) % 65536) for end in ends), (0xFFFF, 0xFFFF, 1)]
    columns = [struct.pack(f">{len(segments)}H", *column) for column in zip(*segments, strict=True)]
    body = columns[0] + b"\0\0" + columns[1] + columns[2] + bytes(2 * len(segments))
    table = struct.pack(">HHHHHHH", 4, 14 + len(body), 0, 2 * len(segments), 0, 0, 0) + body
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + table
    entry = font.index(b"cmap", 12)
    struct.pack_into(">II", font, entry + 8, len(font), len(cmap))
    return bytes(font) + cmap


def in_a_process_of_its_own(code: str, **environment: str) -> str:
    """Run a program with Event Hub's settings; return what it prints."""
    setup = "import django; django.setup()\n"
    variables = os.environ | {"DJANGO_SETTINGS_MODULE": "eventhub_config.settings"} | environment
    done = subprocess.run(
        [sys.executable, "-c", setup + code], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


WRITE = """
from eventhub_config.shared.documents.typefaces import written
print(ascii(tuple(written("\\u5c71\\u7530 Taro"))))
"""


def test_a_folder_of_typefaces_adds_letters(tmp_path: Path) -> None:
    (tmp_path / "cjk.ttf").write_bytes(typeface_for("山田"))

    assert in_a_process_of_its_own(WRITE, FONT_FOLDER=str(tmp_path)) == ascii(("山田 Taro", False))
    assert in_a_process_of_its_own(WRITE, FONT_FOLDER="") == ascii(("… Taro", True))


def test_a_file_that_is_no_typeface_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    (tmp_path / "cjk.ttf").write_bytes(typeface_for("山田"))

    assert in_a_process_of_its_own(WRITE, FONT_FOLDER=str(tmp_path)) == ascii(("山田 Taro", False))


@pytest.mark.parametrize("process", ["eventhub_config.wsgi", "eventhub_config.celery"])
def test_no_process_starts_with_the_pdf_library(process: str) -> None:
    look = f"""
import sys, {process}
from django.urls import get_resolver
get_resolver().url_patterns
from django.contrib import admin
import notifications.services, notifications.tasks
costly = {{"reportlab", "segno", "uharfbuzz", "bookings.ticket_pdf"}}
print(sorted(costly & set(sys.modules)), "bookings.downloads" in sys.modules)
"""

    assert in_a_process_of_its_own(look) == "[] True"
