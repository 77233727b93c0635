"""A picture to rows of coloured text: plotext draws the frame, which seldom changes, and the dots are set into it."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import plotext

from .braille import DOTS_X, DOTS_Y
from .layout import Color, Picture

Run = tuple[str, Color]
Ticks = tuple[tuple[int, str], ...]
BLANK = 0x2800  # the braille character without dots
BITS = np.array([[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]], np.uint32)  # by the dot's height and column
BLANKS = "\N{NO-BREAK SPACE}"  # a label that plotext makes room for
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def paint(image: Picture) -> list[list[Run]]:
    """Return the picture as `height` rows at most, each in runs of one colour."""
    if not image.lines:
        return _note(image)
    columns, rows = image.width - image.margin - 1, image.height - 2
    cells = np.zeros((rows, columns), np.uint32)
    owners = np.zeros((rows, columns), np.int64)
    for number, (_, xs, ys) in enumerate(image.lines):
        across, up = np.array(xs), np.array(ys)
        place = rows - 1 - up // DOTS_Y, across // DOTS_X
        np.bitwise_or.at(cells, place, BITS[up % DOTS_Y, across % DOTS_X])
        owners[place] = number
    colors = [color for color, _, _ in image.lines]
    used = cells > 0
    cells = np.where(used, cells + BLANK, ord(" ")).astype("<u4")
    if image.marks:
        across = np.array(image.marks) // DOTS_X
        cells[-1, across] = ord("×")
        owners[-1, across] = len(colors)
        used[-1, across] = True
        colors.append(image.bad)
    painted = []
    for y, start in enumerate(_left(rows, image.margin, image.y_ticks)):
        text = cells[y].tobytes().decode("utf-32-le")
        places = np.flatnonzero(used[y])
        mine = owners[y, places]
        # A blank has no colour: it belongs to what stands before it.
        turns = [0, *(places[1:][mine[1:] != mine[:-1]]).tolist(), columns] if len(places) else [0, columns]
        looks = [colors[owner] for owner in owners[y, [places[0], *turns[1:-1]]]] if len(places) else [image.axis]
        runs = [(text[a:b], look) for a, b, look in zip(turns[:-1], turns[1:], looks, strict=True)]
        painted.append([(start, image.axis), *runs])
    axis, labels = _below(columns, image.margin, image.x_ticks)
    return [*painted, _signed(image, [(axis, image.axis)]), [(labels, image.axis)]]


def _signed(image: Picture, line: list[Run]) -> list[Run]:
    """Set the signs into the row of the axis."""
    ((text, color),) = line
    runs: list[Run] = []
    start = 0
    for at, sign, look in image.signs:
        place = image.margin + 1 + at
        runs += [(text[start:place], color), (sign, look)]
        start = place + 1
    return [run for run in (*runs, (text[start:], color)) if run[0]]


@lru_cache(maxsize=64)
def _left(rows: int, margin: int, ticks: Ticks) -> list[str]:
    """Return the upright axis with its labels, as rows of `margin` + 1 columns."""
    return [line[: margin + 1] for line in _plotted(2, rows, ((0, BLANKS),), ticks)[:rows]]


@lru_cache(maxsize=64)
def _below(columns: int, margin: int, ticks: Ticks) -> list[str]:
    """Return the level axis and the row of its labels."""
    # A label of blanks keeps the room of the upright axis' labels.
    return _plotted(columns, 2, ticks, ((0, BLANKS * margin),))[2:]


def _plotted(columns: int, rows: int, x_ticks: Ticks, y_ticks: Ticks) -> list[str]:
    """Let plotext draw axes around a canvas without dots; what it takes goes with the canvas' size."""
    across, up = columns * DOTS_X - 1, rows * DOTS_Y - 1
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(columns + 1 + max((len(label) for _, label in y_ticks), default=0), rows + 2)
    plotext.theme("clear")
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    plotext.scatter([0], [0], marker=" ")
    plotext.xlim(0, across)
    plotext.ylim(0, up)
    # plotext spreads characters over the dots' range; so a tick is where its character is.
    plotext.xticks([at * across / (columns - 1) for at, _ in x_ticks], [label for _, label in x_ticks])
    plotext.yticks([at * up / (rows - 1) for at, _ in y_ticks], [label for _, label in y_ticks])
    text = COLORS.sub("", str(plotext.build())).replace(BLANKS, " ")
    return text.rstrip("\n").split("\n")


def _note(image: Picture) -> list[list[Run]]:
    line = image.note[: max(0, image.width)].center(image.width)
    return [[("", image.axis)]] * max(0, (image.height - 1) // 2) + [[(line, image.axis)]]
