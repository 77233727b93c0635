"""Text from outside never controls a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.errors import RunError, error_line
from stoker.engine.text import escaped_json, printable, printable_lines

CONTROLS = st.characters(categories=("Cc", "Cs", "Zl", "Zp"))
TEXT = st.text(CONTROLS | st.characters() | st.sampled_from("\u200b\u202e\u2066\ufeff\U000e0041"))


@given(TEXT)
def test_no_character_of_the_result_controls_a_terminal(text: str) -> None:
    """Neither C0, DEL, C1, line ends, surrogates, marks of direction nor zero-width characters."""
    shown = printable(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(one) for one in shown} & {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "PDI",
    }
    assert not set(shown) & set("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
    assert printable(shown) == shown


@pytest.mark.parametrize("text", ["accuracy", "précision", "準確度", "دقة", "e\u0301", "😀", "a\u00a0b", "", "⣿░"])
def test_ordinary_text_stays(text: str) -> None:
    """Of every script, with combining characters and emoji."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "\ufffd]52;c;aGk=\ufffd"),
        ("\x9b31mred\x7f", "\ufffd31mred\ufffd"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("abc\u202ecba\u200b", "abccba"),
        ("\udcff", "\ufffd"),
    ],
)
def test_each_kind_of_unsafe_character(text: str, shown: str) -> None:
    """Controls stay visible, line ends become spaces, invisible characters go."""
    assert printable(text) == shown


def test_lines_of_a_layout_stay() -> None:
    """Only newlines are kept."""
    assert printable_lines("a\x1bb\nc\rd") == "a\ufffdb\nc d"


@given(TEXT.filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text)))
def test_escaped_json_means_the_same(text: str) -> None:
    """A reader of JSON gets the same text, and the terminal gets no control character."""
    line = escaped_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(line) == text
    assert printable(line) == line


def test_error_is_one_safe_line() -> None:
    """Whatever is in its message."""
    assert error_line(RunError("no run 'a\x1b[2J\nb'")) == "stoker: no run 'a\ufffd[2J b'"
