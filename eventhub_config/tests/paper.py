"""What a person, a scanner or a program gets out of a PDF."""

import io

import pypdfium2
import zxingcpp
from PIL import Image


def texts(pdf: bytes) -> list[str]:
    """Return the text of each page, its lines joined by spaces."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def baselines(pdf: bytes, text: str) -> list[float]:
    """Return what each letter of a text on the first page stands on, in points from below."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].get_textpage()
        first = page.get_text_range().index(text)
        boxes = [page.get_charbox(first + index, loose=False) for index in range(len(text))]
    return [box[1] for box in boxes]


def pages(pdf: bytes) -> list[Image.Image]:
    """Return each page as a phone would show it."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=1.3).to_pil() for page in document]


def qr_codes(pdf: bytes) -> list[list[str]]:
    """Return what a scanner reads on each page."""
    return [[found.text for found in zxingcpp.read_barcodes(page)] for page in pages(pdf)]


def author_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        author: str = document.get_metadata_value("Author")
        return author
