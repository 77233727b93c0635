"""What a terminal cannot show, in characters that it can: blocks instead of braille, or ASCII alone."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

Characters = Literal["all", "blocks", "ascii"]

UPPER, LOWER = 0b00011011, 0b11100100  # the dots of a braille character's two halves


def _halves(neither: str, upper: str, lower: str, both: str) -> dict[int, str]:
    """Map every braille character to one of four."""
    shown = {(False, False): neither, (True, False): upper, (False, True): lower, (True, True): both}
    return {0x2800 + dots: shown[bool(dots & UPPER), bool(dots & LOWER)] for dots in range(256)}


BLOCKS = _halves(" ", "▀", "▄", "█")
ALIKE = {
    "-": "─╌┄–—▔▁",
    "=": "━╸╺‖",
    "~": "╍┅±",
    "|": "│┃▌▐▎▏▍▋▊║",
    "+": "╭╮╰╯┌┐└┘├┤┬┴┼",
    "#": "▂▃▄▅▆▇█▀▉■",
    "*": "●◆★☆",
    "o": "○◇↻",
    "^": "▲△▴▵↑⌃",
    "v": "▼▽▾▿↓✓",
    "x": "×✗",
    "<": "←⏎↵◀",
    ">": "→▶",
    ".": "·…",
    ":": "┉┋",
    "8": "∞",
    "/": "÷",
    " ": "°",
}
PLAIN = {**_halves(" ", "'", ".", ":"), **{ord(one): plain for plain, those in ALIKE.items() for one in those}}


class Replaced(LineFilter):
    """Replaces what is not there, character by character, so that nothing moves."""

    def __init__(self, characters: Characters) -> None:
        """Leave `characters` alone."""
        super().__init__()
        self._table = BLOCKS if characters == "blocks" else PLAIN
        self._rest = characters == "blocks"

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line as they can be shown."""
        return [
            Segment(self._replaced(text), style, control) if not (control or text.isascii()) else segment
            for segment in segments
            for text, style, control in [segment]
        ]

    def _replaced(self, text: str) -> str:
        text = text.translate(self._table)
        if self._rest or text.isascii():
            return text
        return "".join(one if one.isascii() else "?" * cell_len(one) for one in text)


def available() -> Characters:
    """Say what the terminal can show, by its locale and its kind."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    if codecs.lookup(encoding).name != "utf-8" or not _utf8(_locale()):
        return "ascii"
    # The fonts of the Linux console have no braille.
    return "blocks" if os.environ.get("TERM") == "linux" else "all"


def _locale() -> str:
    """Return the name of the locale that a person set; empty where none is."""
    # In the C locale Python writes UTF-8 all the same, and may have set LC_CTYPE to one of these by itself.
    ctype = os.environ.get("LC_CTYPE", "")
    own = "" if ctype in ("C.UTF-8", "C.utf8", "UTF-8") else ctype
    return os.environ.get("LC_ALL") or own or os.environ.get("LANG") or ""


def _utf8(locale: str) -> bool:
    """Say whether a locale may be one of UTF-8; many are, and do not say so."""
    encoding = locale.partition("@")[0].partition(".")[2]
    return locale not in ("C", "POSIX") and encoding.lower().replace("-", "") in ("", "utf8")
