"""Renders a layout as rows of coloured text: plotext draws the axes, which seldom change, and the dots are added."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import plotext

from .braille import DOTS_X, DOTS_Y
from .layout import PlotLayout
from .spec import Color

ColoredText = tuple[str, Color]
Ticks = tuple[tuple[int, str], ...]
BLANK = 0x2800  # the braille character without dots
BITS = np.array(
    [[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]], np.uint32
)  # bit of each dot, by its row from the bottom and its column
BLANKS = "\N{NO-BREAK SPACE}"  # a blank label, for which plotext reserves space
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def render(layout: PlotLayout) -> list[list[ColoredText]]:
    """Return at most `height` rows, each a list of texts of one colour."""
    if not layout.lines:
        return _note(layout)
    columns, rows = layout.width - layout.margin - 1, layout.height - 2
    cells = np.zeros((rows, columns), np.uint32)
    owners = np.zeros((rows, columns), np.int64)
    for number, (_, xs, ys) in enumerate(layout.lines):
        across, up = np.array(xs), np.array(ys)
        place = rows - 1 - up // DOTS_Y, across // DOTS_X
        np.bitwise_or.at(cells, place, BITS[up % DOTS_Y, across % DOTS_X])
        owners[place] = number
    colors = [color for color, _, _ in layout.lines]
    used = cells > 0
    cells = np.where(used, cells + BLANK, ord(" ")).astype("<u4")
    for number, (across_, up_, character, color) in enumerate(layout.points, len(colors)):
        marked = rows - 1 - up_, across_
        cells[marked], owners[marked], used[marked] = ord(character), number, True
        colors.append(color)
    if layout.gaps:
        across = np.array(layout.gaps) // DOTS_X
        cells[-1, across] = ord("×")
        owners[-1, across] = len(colors)
        used[-1, across] = True
        colors.append(layout.bad)
    rendered = []
    for y, left in enumerate(_left(rows, layout.margin, layout.y_ticks)):
        text = cells[y].tobytes().decode("utf-32-le")
        places = np.flatnonzero(used[y])
        mine = owners[y, places]
        # A blank needs no colour: join it to the text before it.
        starts = [0, *(places[1:][mine[1:] != mine[:-1]]).tolist(), columns] if len(places) else [0, columns]
        used_colors = (
            [colors[owner] for owner in owners[y, [places[0], *starts[1:-1]]]] if len(places) else [layout.axis]
        )
        texts = [(text[a:b], color) for a, b, color in zip(starts[:-1], starts[1:], used_colors, strict=True)]
        rendered.append([(left, layout.axis), *texts])
    axis, labels = _below(columns, layout.margin, layout.x_ticks)
    return [*rendered, _with_markers(layout, [(axis, layout.axis)]), [(labels, layout.axis)]]


def _with_markers(layout: PlotLayout, line: list[ColoredText]) -> list[ColoredText]:
    """Put the markers into the row of the x axis."""
    ((text, color),) = line
    texts: list[ColoredText] = []
    start = 0
    for at, marker, marker_color in layout.markers:
        place = layout.margin + 1 + at
        texts += [(text[start:place], color), (marker, marker_color)]
        start = place + 1
    return [one for one in (*texts, (text[start:], color)) if one[0]]


@lru_cache(maxsize=64)
def _left(rows: int, margin: int, ticks: Ticks) -> list[str]:
    """Return the y axis with its labels, as rows of `margin` + 1 columns."""
    return [line[: margin + 1] for line in _plotted(2, rows, ((0, BLANKS),), ticks)[:rows]]


@lru_cache(maxsize=64)
def _below(columns: int, margin: int, ticks: Ticks) -> list[str]:
    """Return the x axis and the row of its labels."""
    # A label of blanks reserves the columns of the y labels.
    return _plotted(columns, 2, ticks, ((0, BLANKS * margin),))[2:]


def _plotted(columns: int, rows: int, x_ticks: Ticks, y_ticks: Ticks) -> list[str]:
    """Let plotext draw axes around an empty canvas; the cost grows with the size of the canvas."""
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
    # plotext spreads the characters over the range of the dots: convert each tick to its character.
    plotext.xticks([at * across / (columns - 1) for at, _ in x_ticks], [label for _, label in x_ticks])
    plotext.yticks([at * up / (rows - 1) for at, _ in y_ticks], [label for _, label in y_ticks])
    text = COLORS.sub("", str(plotext.build())).replace(BLANKS, " ")
    return text.rstrip("\n").split("\n")


def _note(layout: PlotLayout) -> list[list[ColoredText]]:
    line = layout.note[: max(0, layout.width)].center(layout.width)
    return [[("", layout.axis)]] * max(0, (layout.height - 1) // 2) + [[(line, layout.axis)]]
