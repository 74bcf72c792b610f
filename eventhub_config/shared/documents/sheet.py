"""Pages that are drawn on: text that fits its place, pictures, QR codes."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import segno
from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.rl_accel import fp_str
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from eventhub_config.shared.documents.typefaces import BOLD, REGULAR, runs, width_of, written

WIDTH, HEIGHT = A4
INK, TEXT, QUIET, LINE, PAPER, BRAND = "#101828", "#344054", "#667085", "#e4e7ec", "#ffffff", "#2f5bd7"
_QUIET_ZONE = 4  # modules around a QR code. Source: ISO/IEC 18004, section 6.3.8
_PICTURE_PIXELS = 1200
# What a page prints, made once for the whole document.
Picture = Any


class Style(NamedTuple):
    """How a text is printed: points from baseline to baseline are ``leading``."""

    size: float
    weight: str = REGULAR
    colour: str = TEXT
    leading: float = 0

    @property
    def step(self) -> float:
        return self.leading or self.size * 1.35


class _Pen(PDFTextObject):
    """Raises marks above letters, and comes down again.

    The library's own takes two raises in a row for one and forgets the second: all that follows on the page stays up.
    """

    def setRise(self, rise: float) -> None:  # noqa: N802 (the library's name)
        self._rise = rise
        self._code.append(f"{fp_str(rise)} Ts")


class Sheet:
    """A document of A4 pages. Distances are points from the top left corner of the page."""

    def __init__(self, *, title: str, author: str) -> None:
        self._file = BytesIO()
        # invariant: the same content is the same bytes, whenever it is made.
        self._canvas: Any = Canvas(self._file, pagesize=A4, invariant=1, pageCompression=1, lang="en")
        self._canvas.setTitle(written(title).text)
        self._canvas.setAuthor(written(author).text)
        self._canvas.setCreator("Event Hub")
        # Whether this page left words out for want of letters.
        self.has_gaps = False

    def turn_page(self) -> None:
        self._canvas.showPage()
        self.has_gaps = False

    def finish(self) -> bytes:
        self._canvas.save()
        return self._file.getvalue()

    # --- Text ---

    def printable(self, text: str, otherwise: str = "") -> str:
        """Return what can be printed of a text in one line; nothing of it can: return ``otherwise``."""
        line = written(text)
        self.has_gaps = self.has_gaps or line.has_gaps
        return line.text or otherwise

    def line(self, x: float, y: float, text: str, style: Style) -> None:
        """Print one line that begins at ``x`` and stands on ``y``."""
        pen = _Pen(self._canvas, x, HEIGHT - y)
        pen.setFillColor(HexColor(style.colour))
        for run in runs(text, style.weight, style.size):
            pen.setFont(run.font, style.size)
            pen.textOut(run.text)
        self._canvas.drawText(pen)

    def line_to_right(self, right: float, y: float, text: str, style: Style) -> None:
        self.line(right - width_of(text, style.weight, style.size), y, text, style)

    def line_in_middle(self, middle: float, y: float, text: str, style: Style) -> None:
        self.line(middle - width_of(text, style.weight, style.size) / 2, y, text, style)

    def lines(self, x: float, top: float, lines: Sequence[str], style: Style) -> float:
        """Print lines below one another; return where the next thing may begin."""
        for number, text in enumerate(lines):
            self.line(x, top + style.size + number * style.step, text, style)
        return top + len(lines) * style.step

    def paragraph(self, x: float, top: float, text: str, style: Style, *, width: float, most: int) -> float:
        """Print a text in at most so many lines; return where the next thing may begin."""
        return self.lines(x, top, wrapped(text, style, width=width, most=most), style)

    # --- Shapes ---

    def box(
        self, x: float, top: float, width: float, height: float, *, radius: float = 0, fill: str = "", line: str = ""
    ) -> None:
        if fill:
            self._canvas.setFillColor(HexColor(fill))
        if line:
            self._canvas.setStrokeColor(HexColor(line))
            self._canvas.setLineWidth(0.8)
        self._canvas.roundRect(
            x, HEIGHT - top - height, width, height, radius, stroke=int(bool(line)), fill=int(bool(fill))
        )

    def rule(self, x: float, y: float, right: float, *, dashed: bool = False) -> None:
        self._canvas.saveState()
        self._canvas.setStrokeColor(HexColor(LINE))
        self._canvas.setLineWidth(0.8)
        if dashed:
            self._canvas.setStrokeColor(HexColor("#98a2b3"))
            self._canvas.setDash(3, 3)
        self._canvas.line(x, HEIGHT - y, right, HEIGHT - y)
        self._canvas.restoreState()

    def half_disc(self, x: float, y: float, radius: float, *, opens_right: bool) -> None:
        """Take a half disc out of a card's edge."""
        self._canvas.setFillColor(HexColor(PAPER))
        self._canvas.setStrokeColor(HexColor(LINE))
        self._canvas.setLineWidth(0.8)
        path = self._canvas.beginPath()
        start = 270 if opens_right else 90
        path.arc(x - radius, HEIGHT - y - radius, x + radius, HEIGHT - y + radius, start, 180)
        self._canvas.drawPath(path, stroke=1, fill=1)

    def picture(self, picture: "Picture", x: float, top: float, width: float, height: float, radius: float) -> None:
        """Print a picture that fills a box with two round corners above; what does not fit is cut off evenly."""
        self._canvas.saveState()
        path = self._canvas.beginPath()
        path.roundRect(x, HEIGHT - top - height - radius, width, height + radius, radius)
        self._canvas.clipPath(path, stroke=0)
        below = self._canvas.beginPath()
        below.rect(x, HEIGHT - top - height, width, height)
        self._canvas.clipPath(below, stroke=0)
        wide, high = picture.getSize()
        scale = max(width / wide, height / high)
        left, bottom = x - (wide * scale - width) / 2, HEIGHT - top - height - (high * scale - height) / 2
        self._canvas.drawImage(picture, left, bottom, wide * scale, high * scale)
        self._canvas.restoreState()

    def qr_code(self, content: str, x: float, top: float, side: float) -> None:
        """Print a QR code with the white margin that readers need, as areas: sharp at any size."""
        modules = segno.make_qr(content, error="m", boost_error=True).matrix
        step = side / (len(modules) + 2 * _QUIET_ZONE)
        self._canvas.setFillColor(HexColor(PAPER))
        self._canvas.rect(x, HEIGHT - top - side, side, side, stroke=0, fill=1)
        self._canvas.setFillColor(HexColor("#000000"))
        path = self._canvas.beginPath()
        for row, line in enumerate(modules):
            for column, length in _dark_spans(line):
                left = x + (column + _QUIET_ZONE) * step
                path.rect(left, HEIGHT - top - (row + 1 + _QUIET_ZONE) * step, length * step, step)
        self._canvas.drawPath(path, stroke=0, fill=1)


def wrapped(text: str, style: Style, *, width: float, most: int) -> list[str]:
    """Break a text into at most ``most`` lines; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        here, rest = _first_line(rest, style, width)
        lines.append(here)
    if rest:
        lines[-1] = _shortened(f"{lines[-1]} {rest}", style, width)
    return lines


def fitted(text: str, styles: Sequence[Style], *, width: float, most: int) -> tuple[list[str], Style]:
    """Break a text in the first of the styles in which all of it fits; in the last it may end in an ellipsis."""
    for style in styles[:-1]:
        lines = wrapped(text, style, width=width, most=most + 1)
        if len(lines) <= most:
            return lines, style
    return wrapped(text, styles[-1], width=width, most=most), styles[-1]


def packed_picture(file: Any) -> bytes:
    """Return one of our own renditions as a JPEG, which a PDF holds as it is: others would be five times as large."""
    packed = BytesIO()
    with Image.open(file) as opened:
        opened.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS))
        flat = Image.new("RGB", opened.size, PAPER)
        flat.paste(opened, mask=opened.getchannel("A") if "A" in opened.getbands() else None)
    flat.save(packed, "JPEG", quality=82)
    return packed.getvalue()


def picture_of(packed: bytes) -> Picture:
    """Make a packed picture ready for any number of pages of one document."""
    return ImageReader(BytesIO(packed))


def _first_line(text: str, style: Style, width: float) -> tuple[str, str]:
    if width_of(text, style.weight, style.size) <= width:
        return text, ""
    fits = _most_that_fits(text, style, width)
    end = text.rfind(" ", 0, fits + 1)
    # A word that is wider than the line is broken where the line ends.
    return (text[:end], text[end + 1 :]) if end > 0 else (text[:fits], text[fits:])


def _shortened(text: str, style: Style, width: float) -> str:
    room = width - width_of("…", style.weight, style.size)
    return f"{text[: _most_that_fits(text, style, room)].rstrip()}…"


def _most_that_fits(text: str, style: Style, width: float) -> int:
    """Return how many letters fit in a line, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of(text[:middle], style.weight, style.size) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _dark_spans(line: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first column, length) of each stretch of dark modules."""
    spans: list[tuple[int, int]] = []
    for column, dark in enumerate(line):
        if not dark:
            continue
        if spans and sum(spans[-1]) == column:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((column, 1))
    return spans


__all__ = [
    "BOLD", "BRAND", "HEIGHT", "INK", "LINE", "PAPER", "QUIET", "REGULAR", "TEXT", "WIDTH",
    "Picture", "Sheet", "Style", "fitted", "packed_picture", "picture_of", "width_of", "wrapped",
]  # fmt: skip
