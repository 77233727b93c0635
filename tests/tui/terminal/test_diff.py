"""What is sent is less than all, and the terminal shows the same."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, InlineUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from stoker.tui.terminal.diff import Sent

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


def sent(state: Sent, update: LayoutUpdate | ChopsUpdate | InlineUpdate, size: Size = SIZE) -> str:
    """Return what is sent for an update."""
    return state.difference(update, size).render_segments(CONSOLE)


def cells(sequences: str) -> list[list[object]]:
    """Return what a terminal shows."""
    screen = pyte.Screen(WIDE, HIGH)
    pyte.Stream(screen).feed(sequences)
    return [[screen.buffer[y][x] for x in range(WIDE)] for y in range(HIGH)]


@given(frames)
def test_the_terminal_shows_the_same(frames: list[tuple[bool, list[list[Part]]]]) -> None:
    """After any frames, whole ones and every second row alone."""
    state, said, shown = Sent(), "", [[("", "")] for _ in range(HIGH)]
    said += sent(state, layout(shown))
    for whole, content in frames:
        if whole:
            shown = content
            said += sent(state, layout(content))
        else:
            shown = [row if y % 2 else shown[y] for y, row in enumerate(content)]
            chops = [{0: strip(row)} for row in content]
            spans = [(y, 0, WIDE) for y in range(1, HIGH, 2)]
            said += sent(state, ChopsUpdate(chops, spans, [[WIDE]] * HIGH))
        assert cells(said) == cells(layout(shown).render_segments(CONSOLE))


@given(frames, st.integers(1, 2 * WIDE), st.integers(1, 2 * HIGH), st.integers(-WIDE, 2 * WIDE))
def test_a_terminal_of_another_size(
    frames: list[tuple[bool, list[list[Part]]]], wide: int, high: int, left: int
) -> None:
    """A frame that was laid out for the size before leaves each row as long as it is."""
    state = Sent()
    for whole, content in frames:
        chops = ChopsUpdate([{left: strip(row)} for row in content], [(1, left, left + WIDE)], [[left + WIDE]] * HIGH)
        sent(state, layout(content) if whole else chops, Size(wide, high))
        assert [len(row) for row in state._rows] == [wide] * high


def test_only_what_differs_is_sent() -> None:
    """One character of a row, and nothing where nothing has changed."""
    state = Sent()
    sent(state, layout([[("step 1000 of 9", "bold red")]] * HIGH))
    assert sent(state, layout([[("step 1000 of 9", "bold red")]] * HIGH)) == ""
    changed = [[("step 1001 of 9", "bold red")], *[[("step 1000 of 9", "bold red")]] * (HIGH - 1)]
    assert sent(state, layout(changed)) == "\x1b[1;9H\x1b[31;1m1\x1b[0m"


def test_a_look_is_named_once() -> None:
    """Between two rows of one colour there is nothing to say but the place."""
    assert sent(Sent(), layout([[("a" * WIDE, "red")]] * HIGH)).count("\x1b[31m") == 1


def test_a_part_of_a_row() -> None:
    """The columns of the span alone are looked at and sent."""
    state = Sent()
    sent(state, layout([[("abcdef", "")]] * HIGH))
    update = ChopsUpdate([{0: strip([("xyzxyz", "")])}] * HIGH, [(2, 1, 3)], [[WIDE]] * HIGH)
    assert sent(state, update) == "\x1b[3;2Hyz"


def test_all_is_sent_again_when_the_terminal_may_show_something_else() -> None:
    """After another program had it, and at another size."""
    state, update = Sent(), layout([[("a" * WIDE, "red")]] * HIGH)
    whole = sent(state, update)
    state.forget()
    assert sent(state, update) == whole
    assert cell_len(sent(state, update, Size(WIDE + 1, HIGH))) > WIDE * HIGH
    assert sent(state, update, Size(WIDE + 1, HIGH)) == ""


def test_other_updates_pass() -> None:
    """An inline app has no screen of its own."""
    update = InlineUpdate([strip([("a", "")])])
    assert Sent().difference(update, SIZE) is update
