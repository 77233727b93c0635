"""Replaces characters that the terminal cannot show: braille by block characters, or all by ASCII."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

Charset = Literal["all", "blocks", "ascii"]

UPPER, LOWER = 0b00011011, 0b11100100  # bit masks: the dots of a braille character's upper and lower half


def _halves(neither: str, upper: str, lower: str, both: str) -> dict[int, str]:
    """Map every braille character to one of four, by the halves in which it has dots."""
    shown = {(False, False): neither, (True, False): upper, (False, True): lower, (True, True): both}
    return {0x2800 + dots: shown[bool(dots & UPPER), bool(dots & LOWER)] for dots in range(256)}


BLOCKS = _halves(" ", "▀", "▄", "█")
LOOKALIKES = {  # ASCII character: the characters that it replaces
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
ASCII = {
    **_halves(" ", "'", ".", ":"),
    **{ord(other): ascii_ for ascii_, others in LOOKALIKES.items() for other in others},
}


class CharsetFilter(LineFilter):
    """Replaces characters one by one by others of the same width, so that the layout stays."""

    def __init__(self, charset: Charset) -> None:
        """Replace the characters that are not in `charset`, which is `blocks` or `ascii`."""
        super().__init__()
        self._table = BLOCKS if charset == "blocks" else ASCII
        self._keep_others = charset == "blocks"

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line with its characters replaced."""
        return [
            Segment(self._replaced(text), style, control) if not (control or text.isascii()) else segment
            for segment in segments
            for text, style, control in [segment]
        ]

    def _replaced(self, text: str) -> str:
        text = text.translate(self._table)
        if self._keep_others or text.isascii():
            return text
        return "".join(one if one.isascii() else "?" * cell_len(one) for one in text)


def detect_charset() -> Charset:
    """Return the charset that the terminal can show, by stdout's encoding, the locale and TERM."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    if codecs.lookup(encoding).name != "utf-8" or not _utf8(_locale()):
        return "ascii"
    # The fonts of the Linux console have no braille.
    return "blocks" if os.environ.get("TERM") == "linux" else "all"


def _locale() -> str:
    """Return the locale that the user set, by LC_ALL, LC_CTYPE or LANG; empty if there is none."""
    # In the C locale Python sets LC_CTYPE to one of these itself (PEP 538), so these values are not the user's choice.
    ctype = os.environ.get("LC_CTYPE", "")
    chosen = "" if ctype in ("C.UTF-8", "C.utf8", "UTF-8") else ctype
    return os.environ.get("LC_ALL") or chosen or os.environ.get("LANG") or ""


def _utf8(locale: str) -> bool:
    """Return whether the locale may use UTF-8; a name without an encoding may."""
    encoding = locale.partition("@")[0].partition(".")[2]
    return locale not in ("C", "POSIX") and encoding.lower().replace("-", "") in ("", "utf8")
