"""Keeps a copy of the terminal's content and sends only the characters that changed, as ncurses does.

Textual sends whole regions of the changed widgets, and each segment with its full style. On a slow link most of these
bytes would repeat what the terminal shows already.
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

from stoker.engine.text import REPLACEMENT, printable

SGR = tuple[str, str, str]  # codes of the attributes, the foreground colour and the background colour
Cell = tuple[str, SGR]  # a character and its style; "" is the second column of a wide character
UNKNOWN: Cell = ("\0", ("", "", ""))  # unequal to every cell that is sent
PLAIN: SGR = ("", "39", "49")
OFF_CODES = {
    "1": "22",
    "2": "22",
    "3": "23",
    "4": "24",
    "5": "25",
    "7": "27",
    "9": "29",
}  # attribute: the code that ends it
MAX_GAP = 6  # columns: a shorter unchanged gap costs less to send again than to jump over


class ScreenDiff:
    """The characters on the terminal. Call `forget` after another program has written to the terminal."""

    def __init__(self) -> None:
        """Start with unknown content."""
        self._rows: list[list[Cell]] = []
        self._size = Size(0, 0)

    def forget(self) -> None:
        """Mark the content as unknown, so that the next frame is sent whole."""
        self._size = Size(0, 0)

    def difference(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """Return an update that sends only the changes of `update`, for a terminal of `size`.

        An update of an inline app is returned as it is.
        """
        return _Difference(self, update, size) if isinstance(update, ChopsUpdate | LayoutUpdate) else update

    def send(self, update: ChopsUpdate | LayoutUpdate, size: Size, console: Console) -> str:
        """Return the escape sequences that make the terminal show `update`."""
        if size != self._size:
            self._size = size
            self._rows = [[UNKNOWN] * size.width for _ in range(size.height)]
        pen = _Pen()
        for y, x, strip in _pieces(update):
            if 0 <= y < size.height:
                self._row(pen, x, y, _cells(strip, console))
        return pen.finish()

    def _row(self, pen: _Pen, x: int, y: int, cells: list[Cell]) -> None:
        row = self._rows[y]
        # A frame that was laid out before the terminal shrank may reach beyond its edge.
        cells = cells[max(0, -x) : max(0, len(row) - x)]
        x = max(0, x)
        before = row[x : x + len(cells)]
        if before == cells:
            return
        row[x : x + len(cells)] = cells
        places = [at for at, (old, new) in enumerate(zip(before, cells, strict=True)) if old is not new and old != new]
        start = end = places[0]
        for place in places[1:]:
            if place > end + MAX_GAP:
                pen.write(x, y, cells, start, end)
                start = place
            end = place
        pen.write(x, y, cells, start, end)


class _Difference(CompositorUpdate):
    def __init__(self, screen: ScreenDiff, update: ChopsUpdate | LayoutUpdate, size: Size) -> None:
        self._screen, self._update, self._size = screen, update, size

    def render_segments(self, console: Console) -> str:
        return self._screen.send(self._update, self._size, console)


class _Pen:
    """Collects escape sequences for cells, with a cursor move or a style change only where needed."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = (-1, -1)
        self._style = PLAIN

    def write(self, x: int, y: int, cells: list[Cell], start: int, end: int) -> None:
        """Write `cells[start]` to `cells[end]` into row `y`; `cells[0]` belongs to column `x`."""
        while end + 1 < len(cells) and not cells[end + 1][0]:
            end += 1
        column, row = self._at
        if row == y and column < x + start:
            self._parts.append(f"\x1b[{x + start - column}C")
        elif self._at != (x + start, y):
            self._parts.append(f"\x1b[{y + 1};{x + start + 1}H")
        for character, sgr in cells[start : end + 1]:
            if sgr is not self._style and sgr != self._style:
                self._parts.append(_transition(self._style, sgr))
                self._style = sgr
            self._parts.append(character)
        self._at = (x + end + 1, y)

    def finish(self) -> str:
        """Return the collected sequences, ending in the plain style."""
        if self._style != PLAIN:
            self._parts.append("\x1b[0m")
        return "".join(self._parts)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield the row, column and strip of each piece of an update."""
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
    system = console._color_system or ColorSystem.TRUECOLOR  # the same default as Strip.render
    for content, style, control in strip:
        if control or not content:
            continue
        sgr = _sgr(style, system) if style else PLAIN
        text = content if content.isprintable() else _safe(content)
        if text.isascii() or cell_len(text) == len(text):
            cells += [(character, sgr) for character in text]
            continue
        for character in text:
            width = get_character_cell_size(character)
            if width:
                cells += [(character, sgr), *[("", sgr)] * (width - 1)]
            elif cells:
                # A combining character has no column: it belongs to the character before it.
                cells[-1] = (cells[-1][0] + character, cells[-1][1])
    return cells


def _safe(text: str) -> str:
    """Return text of the same width without control characters: those of no width are removed."""
    return "".join(
        character if printable(character) == character else REPLACEMENT * get_character_cell_size(character)
        for character in text
    )


@lru_cache(maxsize=4096)
def _sgr(style: Style, system: ColorSystem) -> SGR:
    """Return the codes of a style for SGR (select graphic rendition), ECMA-48 section 8.3.117."""
    codes = style.without_color.render("x").partition("x")[0]
    attributes = codes[2:-1]
    colors = (style.color or Color.default(), True), (style.bgcolor or Color.default(), False)
    ink, paper = (";".join(color.downgrade(system).get_ansi_codes(front)) for color, front in colors)
    return attributes, ink, paper


@lru_cache(maxsize=4096)
def _transition(before: SGR, after: SGR) -> str:
    """Return the escape sequence that changes one style to another."""
    old, new = (set(filter(None, sgr[0].split(";"))) for sgr in (before, after))
    codes = [color for color, was in zip(after[1:], before[1:], strict=True) if color != was]
    if old <= new:
        codes += sorted(new - old)
    elif old <= OFF_CODES.keys():
        # One code ends both bold and dim, so send the attributes that stay again.
        codes = [*sorted({OFF_CODES[code] for code in old - new}), *sorted(new), *codes]
    else:
        codes = [
            "0",
            *sorted(new),
            *(color for color, plain in zip(after[1:], PLAIN[1:], strict=True) if color != plain),
        ]
    return f"\x1b[{';'.join(codes)}m"
