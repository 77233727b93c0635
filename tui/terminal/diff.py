"""What stands on the terminal, so that only the characters that differ are sent, each look named once.

Textual sends whole stretches of the widgets that changed, with every segment's look in full: most of what a slow link
carries would be what stands there already. As ncurses does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

Look = tuple[str, str, str]  # the codes of attributes, of the colour and of the background
Cell = tuple[str, Look]  # "" is the second column of the character before
NOWHERE: Cell = ("\0", ("", "", ""))  # equal to nothing that is sent
PLAIN: Look = ("", "39", "49")
OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}  # what ends an attribute
BRIDGE = 6  # columns that are cheaper to send again than to jump over


class Sent:
    """The characters on the terminal; whatever else writes there, `forget` must be called."""

    def __init__(self) -> None:
        """Know nothing of the terminal."""
        self._rows: list[list[Cell]] = []
        self._size = Size(0, 0)

    def forget(self) -> None:
        """Take nothing for granted: all of the next frame is sent."""
        self._size = Size(0, 0)

    def difference(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """Return what must be sent for `update`, on a terminal of `size`."""
        return _Difference(self, update, size) if isinstance(update, ChopsUpdate | LayoutUpdate) else update

    def send(self, update: ChopsUpdate | LayoutUpdate, size: Size, console: Console) -> str:
        """Return the escape sequences that make the terminal show `update`."""
        if size != self._size:
            self._size = size
            self._rows = [[NOWHERE] * size.width for _ in range(size.height)]
        pen = _Pen()
        for y, x, strip in _pieces(update):
            if 0 <= y < size.height:
                self._row(pen, x, y, _cells(strip, console))
        return pen.finish()

    def _row(self, pen: _Pen, x: int, y: int, cells: list[Cell]) -> None:
        row = self._rows[y]
        # What was laid out for the size before may lie beyond the edge of a terminal that shrank.
        cells = cells[max(0, -x) : max(0, len(row) - x)]
        x = max(0, x)
        before = row[x : x + len(cells)]
        if before == cells:
            return
        row[x : x + len(cells)] = cells
        places = [at for at, (old, new) in enumerate(zip(before, cells, strict=True)) if old is not new and old != new]
        start = end = places[0]
        for place in places[1:]:
            if place > end + BRIDGE:
                pen.write(x, y, cells, start, end)
                start = place
            end = place
        pen.write(x, y, cells, start, end)


class _Difference(CompositorUpdate):
    def __init__(self, sent: Sent, update: ChopsUpdate | LayoutUpdate, size: Size) -> None:
        self._sent, self._update, self._size = sent, update, size

    def render_segments(self, console: Console) -> str:
        return self._sent.send(self._update, self._size, console)


class _Pen:
    """Writes cells, moving and changing its look only where it must."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = (-1, -1)
        self._look = PLAIN

    def write(self, x: int, y: int, cells: list[Cell], start: int, end: int) -> None:
        """Write the cells from `start` to `end`; the first of them stands at column `x`."""
        while end + 1 < len(cells) and not cells[end + 1][0]:
            end += 1
        column, row = self._at
        if row == y and column < x + start:
            self._parts.append(f"\x1b[{x + start - column}C")
        elif self._at != (x + start, y):
            self._parts.append(f"\x1b[{y + 1};{x + start + 1}H")
        for character, look in cells[start : end + 1]:
            if look is not self._look and look != self._look:
                self._parts.append(_turn(self._look, look))
                self._look = look
            self._parts.append(character)
        self._at = (x + end + 1, y)

    def finish(self) -> str:
        """Return what was written."""
        if self._look != PLAIN:
            self._parts.append("\x1b[0m")
        return "".join(self._parts)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Return row, column and strip of each piece of an update."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            yield y, update.region.x, Strip.join(line)
        return
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(x, first), min(end, last)
            if strip is not None and start < stop:
                yield y, start, strip.crop(start - x, stop - x)


def _cells(strip: Strip, console: Console) -> list[Cell]:
    cells: list[Cell] = []
    system = console._color_system or ColorSystem.TRUECOLOR  # as Strip.render has it
    for text, style, control in strip:
        if control or not text:
            continue
        look = _look(style, system) if style else PLAIN
        if text.isascii() or cell_len(text) == len(text):
            cells += [(character, look) for character in text]
            continue
        for character in text:
            width = get_character_cell_size(character)
            if width:
                cells += [(character, look), *[("", look)] * (width - 1)]
            elif cells:
                # It stands on the character before.
                cells[-1] = (cells[-1][0] + character, cells[-1][1])
    return cells


@lru_cache(maxsize=4096)
def _look(style: Style, system: ColorSystem) -> Look:
    """Return the codes of a style as SGR has them, ECMA-48 section 8.3.117."""
    codes = style.without_color.render("x").partition("x")[0]
    attributes = codes[2:-1]
    colors = (style.color or Color.default(), True), (style.bgcolor or Color.default(), False)
    ink, paper = (";".join(color.downgrade(system).get_ansi_codes(front)) for color, front in colors)
    return attributes, ink, paper


@lru_cache(maxsize=4096)
def _turn(before: Look, after: Look) -> str:
    """Return the sequence from one look to another."""
    old, new = (set(filter(None, look[0].split(";"))) for look in (before, after))
    codes = [color for color, was in zip(after[1:], before[1:], strict=True) if color != was]
    if old <= new:
        codes += sorted(new - old)
    elif old <= OFF.keys():
        # Bold and dim are ended together: what stays is said again.
        codes = [*sorted({OFF[code] for code in old - new}), *sorted(new), *codes]
    else:
        codes = [
            "0",
            *sorted(new),
            *(color for color, plain in zip(after[1:], PLAIN[1:], strict=True) if color != plain),
        ]
    return f"\x1b[{';'.join(codes)}m"
