"""The differential output: fewer bytes than whole frames, with the same result on the terminal."""

from __future__ import annotations

import re
from typing import Literal

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, InlineUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from stoker.tui.terminal.diff import ScreenDiff

WIDE, HIGH = 20, 4
SIZE = Size(WIDE, HIGH)
CONSOLE = Console(color_system="truecolor", force_terminal=True, width=WIDE)
LOOKS = ["", "bold", "italic", "bold italic", "underline reverse", "red", "#123456 on white", "bold #123456", "on blue"]
Part = tuple[str, str]

parts = st.tuples(st.text("ab⣿ 火é", max_size=6), st.sampled_from(LOOKS))
rows = st.lists(parts, max_size=5)
frames = st.lists(st.tuples(st.booleans(), st.lists(rows, min_size=HIGH, max_size=HIGH)), min_size=1, max_size=5)


def strip(row: list[Part]) -> Strip:
    """Return a row as wide as the terminal."""
    return Strip([Segment(text, Style.parse(look)) for text, look in row]).adjust_cell_length(WIDE, Style())


def layout(content: list[list[Part]]) -> LayoutUpdate:
    """Return an update of the whole screen."""
    return LayoutUpdate([[strip(row)] for row in content], Region(0, 0, WIDE, HIGH))


def sent(state: ScreenDiff, update: LayoutUpdate | ChopsUpdate | InlineUpdate, size: Size = SIZE) -> str:
    """Return the sequences that are sent for an update."""
    return state.difference(update, size).render_segments(CONSOLE)


def cells(sequences: str) -> list[list[object]]:
    """Return the cells of a terminal after the sequences."""
    screen = pyte.Screen(WIDE, HIGH)
    pyte.Stream(screen).feed(sequences)
    return [[screen.buffer[y][x] for x in range(WIDE)] for y in range(HIGH)]


@given(frames)
def test_terminal_shows_the_same_with_and_without_the_diff(frames: list[tuple[bool, list[list[Part]]]]) -> None:
    """After any sequence of whole frames and of updates of every second row."""
    state, output, shown = ScreenDiff(), "", [[("", "")] for _ in range(HIGH)]
    output += sent(state, layout(shown))
    for whole, content in frames:
        if whole:
            shown = content
            output += sent(state, layout(content))
        else:
            shown = [row if y % 2 else shown[y] for y, row in enumerate(content)]
            chops = [{0: strip(row)} for row in content]
            spans = [(y, 0, WIDE) for y in range(1, HIGH, 2)]
            output += sent(state, ChopsUpdate(chops, spans, [[WIDE]] * HIGH))
        assert cells(output) == cells(layout(shown).render_segments(CONSOLE))


@given(frames, st.integers(1, 2 * WIDE), st.integers(1, 2 * HIGH), st.integers(-WIDE, 2 * WIDE))
def test_rows_keep_their_length_for_a_frame_of_another_size(
    frames: list[tuple[bool, list[list[Part]]]], wide: int, high: int, left: int
) -> None:
    """A frame that was laid out for the old size does not change the length of the rows."""
    state = ScreenDiff()
    for whole, content in frames:
        chops = ChopsUpdate([{left: strip(row)} for row in content], [(1, left, left + WIDE)], [[left + WIDE]] * HIGH)
        sent(state, layout(content) if whole else chops, Size(wide, high))
        assert [len(row) for row in state._rows] == [wide] * high


def test_only_changed_characters_are_sent() -> None:
    """One character of a row; nothing for an equal frame."""
    state = ScreenDiff()
    sent(state, layout([[("step 1000 of 9", "bold red")]] * HIGH))
    assert sent(state, layout([[("step 1000 of 9", "bold red")]] * HIGH)) == ""
    changed = [[("step 1001 of 9", "bold red")], *[[("step 1000 of 9", "bold red")]] * (HIGH - 1)]
    assert sent(state, layout(changed)) == "\x1b[1;9H\x1b[31;1m1\x1b[0m"


def test_style_is_sent_once_for_rows_of_one_colour() -> None:
    """Between two rows of one colour only the cursor moves."""
    assert sent(ScreenDiff(), layout([[("a" * WIDE, "red")]] * HIGH)).count("\x1b[31m") == 1


def test_only_the_span_of_a_partial_update_is_sent() -> None:
    """Only the columns of the span are compared and sent."""
    state = ScreenDiff()
    sent(state, layout([[("abcdef", "")]] * HIGH))
    update = ChopsUpdate([{0: strip([("xyzxyz", "")])}] * HIGH, [(2, 1, 3)], [[WIDE]] * HIGH)
    assert sent(state, update) == "\x1b[3;2Hyz"


def test_whole_frame_is_sent_if_the_content_is_unknown() -> None:
    """After `forget`, and at another size."""
    state, update = ScreenDiff(), layout([[("a" * WIDE, "red")]] * HIGH)
    whole = sent(state, update)
    state.forget()
    assert sent(state, update) == whole
    assert cell_len(sent(state, update, Size(WIDE + 1, HIGH))) > WIDE * HIGH
    assert sent(state, update, Size(WIDE + 1, HIGH)) == ""


def test_inline_update_is_returned_unchanged() -> None:
    """An inline app does not own the screen."""
    update = InlineUpdate([strip([("a", "")])])
    assert ScreenDiff().difference(update, SIZE) is update


@pytest.mark.parametrize(("system", "codes"), [("standard", "31"), ("256", "38;5;196"), ("truecolor", "38;2;255;0;0")])
def test_colours_are_those_that_the_terminal_has(system: Literal["standard", "256", "truecolor"], codes: str) -> None:
    """A terminal of 16 or 256 colours gets the nearest of them."""
    console = Console(color_system=system, force_terminal=True, width=WIDE)
    red = ScreenDiff().difference(layout([[("a", "#ff0000")], *[[("", "")]] * (HIGH - 1)]), SIZE)
    found = re.findall(r"\x1b\[([0-9;]*)m", red.render_segments(console))
    assert any(code in (codes, codes.replace("31", "91")) for code in found), found
