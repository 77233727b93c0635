"""Themes, colours, characters, and what is remembered of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from stoker.engine.runs.folder import RunFolder
from stoker.tui.app import themes
from stoker.tui.app.app import StokerApp
from stoker.tui.app.preferences import Choices, Remembered
from stoker.tui.plotting import braille as raster
from stoker.tui.terminal.charset import Characters, Replaced, available
from stoker.tui.terminal.no_color import Colourless
from tests.support.recorded import Recorded, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
BLACK = Color(0, 0, 0)
NOW = time_of(330) + 0.5
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


def rendered(app: StokerApp) -> list[Segment]:
    """All that is on the screen."""
    return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


@pytest.mark.parametrize(("characters", "shown"), [("blocks", "│█▀▄ ✓ 数"), ("ascii", "|:'.  v ??".replace("  ", " "))])
def test_characters_are_replaced_one_by_one(characters: Characters, shown: str) -> None:
    """Nothing moves: what is two columns wide stays so."""
    (segment,) = Replaced(characters).apply([Segment("│⣿⠉⣀ ✓ 数")], BLACK)
    assert segment.text == shown and segment.cell_length == Segment("│⣿⠉⣀ ✓ 数").cell_length


async def test_the_whole_dashboard_in_ascii(folder: RunFolder, until: Until) -> None:
    """Frames, curves, marks and the footer."""
    app = StokerApp(folder, source=Recorded(run()), clock=lambda: NOW, characters="ascii")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: "330" in "".join(segment.text for segment in rendered(app)))
        await pilot.pause()
        assert all(segment.text.isascii() for segment in rendered(app))


@pytest.mark.parametrize(
    ("encoding", "term", "found"),
    [
        ("utf-8", "xterm", "all"),
        ("UTF8", "linux", "blocks"),
        ("iso8859-1", "xterm", "ascii"),
        ("ascii", "linux", "ascii"),
    ],
)
def test_what_the_terminal_can_show(monkeypatch: pytest.MonkeyPatch, encoding: str, term: str, found: str) -> None:
    """By the locale, and by the kind of terminal."""

    class Out:
        pass

    Out.encoding = encoding  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stdout", Out())
    monkeypatch.setenv("TERM", term)
    for name in LOCALE:
        monkeypatch.delenv(name, raising=False)
    assert available() == found


@pytest.mark.parametrize(
    ("locale", "found"),
    [
        ({}, "all"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "POSIX"}, "ascii"),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "ascii"),
        ({"LC_CTYPE": "C", "LC_ALL": "C.UTF-8"}, "all"),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "en_US.UTF-8"}, "all"),
        ({"LC_CTYPE": "UTF-8"}, "all"),
        ({"LANG": "de_DE.ISO-8859-1@euro"}, "ascii"),
        ({"LANG": "ca_ES.utf8@valencia"}, "all"),
    ],
)
def test_ascii_where_the_locale_asks_for_it(locale: dict[str, str], found: str) -> None:
    """In a process of its own, because Python writes UTF-8 there all the same."""
    rest = {name: value for name, value in os.environ.items() if name not in LOCALE}
    script = "from stoker.tui.terminal.charset import available; print(available())"
    environment = {**rest, **locale, "TERM": "xterm"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


async def test_no_colour_at_all(folder: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood out by its background is reversed."""
    monkeypatch.setenv("NO_COLOR", "1")
    app = StokerApp(folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)):
        await until(lambda: "330" in "".join(segment.text for segment in rendered(app)))
        styles = [segment.style for segment in rendered(app) if segment.style]
        assert not [style for style in styles if style.color or style.bgcolor]
        assert any("training" in segment.text and segment.style and segment.style.reverse for segment in rendered(app))


def test_a_background_close_to_the_one_around_it_is_none() -> None:
    """Bold and the like stay."""
    near, far = Style.parse("bold white on #101010"), Style.parse("italic white on #204080")
    first, second = Colourless().apply([Segment("a", near), Segment("b", far)], BLACK)
    assert first.style == Style(bold=True, reverse=False) and second.style == Style(italic=True, reverse=True)


def test_dashes_tell_curves_apart() -> None:
    """The first is whole."""
    dots = np.stack([np.arange(64), np.zeros(64, np.int64)], axis=1)
    lengths = [len(raster.dashed(dots, number)) for number in range(len(raster.DASHES))]
    assert lengths[0] == 64 and set(lengths[1:]) == {32}
    assert len({raster.dashed(dots, number).tobytes() for number in range(len(raster.DASHES))}) == len(raster.DASHES)


@pytest.mark.parametrize("theme", [themes.CONTRAST, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_words_and_curves_are_readable_in_every_theme(theme: Theme) -> None:
    """On what is behind them; six curves are six colours, and black on black is no choice."""
    found = {name: Color.parse(color) for name, color in themes.variables(theme).items()}
    colors = theme.to_color_system().generate()
    behind = [Color.parse(colors[name]) for name in ("background", "surface")]
    if any(color.ansi is not None for color in (*behind, *found.values())):
        return
    for name in ("good", "caution", "bad", "chosen", "notice"):
        assert min(themes.contrast(found[name], back) for back in behind) >= themes.WORDS
    lines = [found[f"line-{number}"] for number in range(6)]
    assert min(themes.contrast(line, back) for line in lines for back in behind) >= themes.LINES
    if theme.name in themes.NAMES:
        apart = [sum((a - b) ** 2 for a, b in zip(x.rgb, y.rgb)) for x, y in combinations(lines, 2)]  # noqa: B905
        assert min(apart) > 60**2


def test_a_colour_that_is_readable_stays() -> None:
    """Another goes no further than it must."""
    assert themes.readable("#ffffff", [BLACK], 4.5) == "#FFFFFF"
    assert (
        4.5
        <= themes.contrast(Color.parse(themes.readable("#4EBF71", [Color(224, 224, 224)], 4.5)), Color(224, 224, 224))
        < 5.6
    )


async def test_a_theme_is_turned_and_remembered(folder: RunFolder, until: Until, tmp_path: Path) -> None:
    """The next session begins with it."""
    path = tmp_path / "settings" / "choices.json"
    app = StokerApp(folder, source=Recorded([]), remembered=Remembered(path))
    async with app.run_test() as pilot:
        for name in (*themes.NAMES[1:], themes.NAMES[0], themes.NAMES[1]):
            await pilot.press("T")
            assert app.theme == name
            await until(lambda name=name: path.exists() and Remembered(path).choices.theme == name)
    assert StokerApp(folder, source=Recorded([]), remembered=Remembered(path)).theme == "textual-light"


@pytest.mark.parametrize("content", [b"", b"{", b'{"theme": 7}', b"\xff", b'{"theme": "gone", "more": 1}'])
async def test_a_broken_file_of_choices_is_no_matter(folder: RunFolder, tmp_path: Path, content: bytes) -> None:
    """Nor one that cannot be written."""
    path = tmp_path / "choices.json"
    path.write_bytes(content)
    app = StokerApp(folder, source=Recorded([]), remembered=Remembered(path))
    assert app.theme == "textual-dark"
    nowhere = Remembered(path / "no folder")
    nowhere.choices = Choices(theme="textual-light")
    nowhere.write()
    assert path.read_bytes() == content


@pytest.mark.parametrize(("given", "fps"), [(None, "4"), ("2", "2")])
def test_slow_means_fewer_frames(given: str | None, fps: str) -> None:
    """Unless TEXTUAL_FPS says how many; Textual must not have been imported before."""
    code = """
import click, os, sys
from stoker.tui.cli.display import display_options
@click.command()
@display_options
def command():
    assert "textual" not in sys.modules
    from stoker.tui.screens import dashboard
    print(os.environ["TEXTUAL_FPS"], dashboard.REST)
command(["--slow"])
"""
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    environment |= {"TEXTUAL_FPS": given} if given else {}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [fps, "1.0"]
