"""Make text from outside safe to show: names, messages and metrics of a run may hold escape sequences."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"  # they end a line or move the cursor
INVISIBLE = "\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
"""Zero-width characters, and those that change the direction of the text around them."""
CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff"  # C0, DEL, C1, and bytes that are no UTF-8

_UNSAFE = re.compile(f"[{SPACES}{INVISIBLE}{CONTROLS}]")


def printable(text: str) -> str:
    """Return `text` as one line without any character that controls a terminal.

    Line ends and tabs become spaces, other control characters become U+FFFD. Zero-width characters and marks of
    direction are removed. All other Unicode stays.
    """
    return text if text.isprintable() else _UNSAFE.sub(_replace, text)


def printable_lines(text: str) -> str:
    """Return `text` like `printable`, but keep its newlines: for text that stoker itself has laid out in lines."""
    return "\n".join(map(printable, text.split("\n")))


def escaped_json(line: str) -> str:
    r"""Return JSON with each unsafe character written as \uXXXX, which means the same to a reader of JSON."""
    return line if line.isprintable() else _UNSAFE.sub(_escape, line)


def _replace(match: re.Match[str]) -> str:
    character = match[0]
    if character in SPACES:
        return " "
    return REPLACEMENT if character < "\xa0" or "\ud800" <= character <= "\udfff" else ""


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
