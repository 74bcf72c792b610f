"""Pictures to try Event Hub with: calm shapes over two colours, always the same for a name, and quickly drawn."""

import io
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Ground from, ground to, shapes.
PALETTES = (
    ("#0b3954", "#087e8b", "#ff5a5f"),
    ("#2d1e2f", "#9a348e", "#f9c80e"),
    ("#12355b", "#420039", "#d72638"),
    ("#1b4332", "#52b788", "#ffe8a3"),
    ("#3d348b", "#7678ed", "#f7b801"),
    ("#5f0f40", "#9a031e", "#fb8b24"),
    ("#14213d", "#3a6ea5", "#fca311"),
    ("#264653", "#2a9d8f", "#e9c46a"),
    ("#6d597a", "#b56576", "#eaac8b"),
    ("#003049", "#669bbc", "#fdf0d5"),
)
DETAIL = 2  # shapes are drawn at twice the size, for smooth edges


def draw(name: str, size: tuple[int, int]) -> bytes:
    """Return a picture for a name: a JPEG."""
    from PIL import Image  # seldom needed: not in the memory of processes that only import the demo's data

    # Not for secrets: the same name is to have the same picture everywhere.
    chance = random.Random(name)  # noqa: S311
    begins, ends, colour = chance.choice(PALETTES)
    picture = _ground(begins, ends, size, chance)
    shapes = _circles if chance.random() < 0.5 else _waves
    mask = shapes((size[0] * DETAIL, size[1] * DETAIL), chance).resize(size, Image.Resampling.BOX)
    picture.paste(Image.new("RGB", size, colour), mask=mask)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def _ground(begins: str, ends: str, size: tuple[int, int], chance: random.Random) -> "Image":
    from PIL import Image, ImageOps

    run = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize(size)
    return ImageOps.colorize(run, begins, ends)


def _circles(size: tuple[int, int], chance: random.Random) -> "Image":
    """Return rings around one or two points near an edge, fading outwards."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    width, height = size
    for _ in range(chance.choice((1, 2))):
        high = chance.choice((chance.uniform(-0.1, 0.3), chance.uniform(0.7, 1.1)))
        middle = (chance.uniform(0, width), high * height)
        step = height * chance.uniform(0.07, 0.12)
        for ring in range(6, 0, -1):
            pen.circle(middle, ring * step, fill=round(200 / ring**0.7) if ring % 2 else 0)
    return mask


def _waves(size: tuple[int, int], chance: random.Random) -> "Image":
    """Return hills, one behind another."""
    import math

    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    width, height = size
    for row in range(4):
        length, shift = width * chance.uniform(0.4, 0.9), chance.uniform(0, 7)
        top, high = height * (0.42 + 0.14 * row), height * chance.uniform(0.04, 0.1)
        line = [(x, top + high * math.sin(shift + 2 * math.pi * x / length)) for x in range(0, width + 16, 16)]
        pen.polygon([*line, (width + 16, height), (0, height)], fill=50 + 50 * row)
    return mask
