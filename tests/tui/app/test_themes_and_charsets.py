"""Themes, colours, charsets and preferences."""

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

from stoker.engine.runs.events import RunFinished
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app import themes
from stoker.tui.app.app import StokerApp
from stoker.tui.app.preferences import Preferences, PreferencesFile
from stoker.tui.plotting import braille
from stoker.tui.terminal.charset import Charset, CharsetFilter, detect_charset
from stoker.tui.terminal.no_color import NoColorFilter
from stoker.tui.widgets.plot import PlotWidget
from tests.support.recorded import Recorded, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
BLACK = Color(0, 0, 0)
NOW = time_of(330) + 0.5
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


def rendered(app: StokerApp) -> list[Segment]:
    """Return all segments of the screen."""
    return [segment for strip in app.screen._compositor.render_strips() for segment in strip]


@pytest.mark.parametrize(("charset", "shown"), [("blocks", "│█▀▄ ✓ 数"), ("ascii", "|:'.  v ??".replace("  ", " "))])
def test_charset_filter_keeps_the_width_of_characters(charset: Charset, shown: str) -> None:
    """The layout stays: a character of two columns is replaced by two."""
    (segment,) = CharsetFilter(charset).apply([Segment("│⣿⠉⣀ ✓ 数")], BLACK)
    assert segment.text == shown and segment.cell_length == Segment("│⣿⠉⣀ ✓ 数").cell_length


async def test_dashboard_has_only_ascii_with_the_ascii_charset(run_folder: RunFolder, wait_until: Until) -> None:
    """Frames, curves, markers and the footer."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW, charset="ascii")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: "330" in "".join(segment.text for segment in rendered(app)))
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
def test_detect_charset_by_encoding_and_terminal(
    monkeypatch: pytest.MonkeyPatch, encoding: str, term: str, found: str
) -> None:
    """The encoding of stdout and TERM decide."""

    class Out:
        pass

    Out.encoding = encoding  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stdout", Out())
    monkeypatch.setenv("TERM", term)
    for name in LOCALE:
        monkeypatch.delenv(name, raising=False)
    assert detect_charset() == found


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
def test_detect_charset_by_locale(locale: dict[str, str], found: str) -> None:
    """In a new process, because Python sets stdout to UTF-8 in the C locale too."""
    rest = {name: value for name, value in os.environ.items() if name not in LOCALE}
    script = "from stoker.tui.terminal.charset import detect_charset; print(detect_charset())"
    environment = {**rest, **locale, "TERM": "xterm"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


async def test_dashboard_has_no_colour_under_no_color(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text with a background colour is shown in reverse video."""
    monkeypatch.setenv("NO_COLOR", "1")
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)):
        await wait_until(lambda: "330" in "".join(segment.text for segment in rendered(app)))
        styles = [segment.style for segment in rendered(app) if segment.style]
        assert not [style for style in styles if style.color or style.bgcolor]
        assert any("training" in segment.text and segment.style and segment.style.reverse for segment in rendered(app))


def test_no_color_filter_drops_a_background_close_to_its_surroundings() -> None:
    """Bold and italic stay."""
    near, far = Style.parse("bold white on #101010"), Style.parse("italic white on #204080")
    first, second = NoColorFilter().apply([Segment("a", near), Segment("b", far)], BLACK)
    assert first.style == Style(bold=True, reverse=False) and second.style == Style(italic=True, reverse=True)


def test_curves_have_different_dashes() -> None:
    """The first curve is solid."""
    dots = np.stack([np.arange(64), np.zeros(64, np.int64)], axis=1)
    lengths = [len(braille.dashed(dots, number)) for number in range(len(braille.DASHES))]
    assert lengths[0] == 64 and set(lengths[1:]) == {32}
    assert len({braille.dashed(dots, number).tobytes() for number in range(len(braille.DASHES))}) == len(braille.DASHES)


@pytest.mark.parametrize("theme", [themes.CONTRAST, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_theme_colours_have_enough_contrast(theme: Theme) -> None:
    """Text and curves have enough contrast with the backgrounds, and the six curves differ."""
    found = {name: Color.parse(color) for name, color in themes.color_variables(theme).items()}
    colors = theme.to_color_system().generate()
    behind = [Color.parse(colors[name]) for name in ("background", "surface")]
    if any(color.ansi is not None for color in (*behind, *found.values())):
        return
    for name in ("good", "caution", "bad", "chosen", "notice"):
        assert min(themes.contrast(found[name], back) for back in behind) >= themes.TEXT_CONTRAST
    lines = [found[f"line-{number}"] for number in range(6)]
    assert min(themes.contrast(line, back) for line in lines for back in behind) >= themes.LINE_CONTRAST
    if theme.name in themes.NAMES:
        apart = [sum((a - b) ** 2 for a, b in zip(x.rgb, y.rgb)) for x, y in combinations(lines, 2)]  # noqa: B905
        assert min(apart) > 60**2


def test_readable_keeps_a_colour_with_enough_contrast() -> None:
    """Another colour is changed no more than necessary."""
    assert themes.readable("#ffffff", [BLACK], 4.5) == "#FFFFFF"
    assert (
        4.5
        <= themes.contrast(Color.parse(themes.readable("#4EBF71", [Color(224, 224, 224)], 4.5)), Color(224, 224, 224))
        < 5.6
    )


async def test_theme_is_saved_when_it_changes(run_folder: RunFolder, wait_until: Until, tmp_path: Path) -> None:
    """The next session starts with the saved theme."""
    path = tmp_path / "settings" / "choices.json"
    app = StokerApp(run_folder, source=Recorded([]), preferences=PreferencesFile(path))
    async with app.run_test() as pilot:
        for name in (*themes.NAMES[1:], themes.NAMES[0], themes.NAMES[1]):
            await pilot.press("T")
            assert app.theme == name
            await wait_until(lambda name=name: path.exists() and PreferencesFile(path).current.theme == name)
    assert StokerApp(run_folder, source=Recorded([]), preferences=PreferencesFile(path)).theme == "textual-light"


@pytest.mark.parametrize("content", [b"", b"{", b'{"theme": 7}', b"\xff", b'{"theme": "gone", "more": 1}'])
async def test_preferences_ignore_an_invalid_file(run_folder: RunFolder, tmp_path: Path, content: bytes) -> None:
    """Errors writing the file are ignored too."""
    path = tmp_path / "choices.json"
    path.write_bytes(content)
    app = StokerApp(run_folder, source=Recorded([]), preferences=PreferencesFile(path))
    assert app.theme == "textual-dark"
    nowhere = PreferencesFile(path / "no folder")
    nowhere.current = Preferences(theme="textual-light")
    nowhere.write()
    assert path.read_bytes() == content


@pytest.mark.parametrize(("given", "fps"), [(None, "4"), ("2", "2")])
def test_slow_option_limits_frames_a_second(given: str | None, fps: str) -> None:
    """TEXTUAL_FPS has priority. Textual must not be imported before the option is read."""
    code = """
import click, os, sys
from stoker.tui.cli.options import display_options
@click.command()
@display_options
def command():
    assert "textual" not in sys.modules
    from stoker.tui.screens import dashboard
    print(os.environ["TEXTUAL_FPS"], dashboard.FRAME_INTERVAL)
command(["--slow"])
"""
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    environment |= {"TEXTUAL_FPS": given} if given else {}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [fps, "1.0"]


async def test_a_legend_follows_the_theme_at_once(run_folder: RunFolder, wait_until: Until) -> None:
    """A finished run is never drawn again for another reason."""
    source = Recorded([*run(), RunFinished(at=NOW)], alive=False)
    app = StokerApp(run_folder, source=source, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        plot = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: "train" in str(plot.border_title))

        def colors() -> tuple[str, str]:
            red, green, blue = plot._color("0")
            return f"rgb({red},{green},{blue})", str(plot.border_title)

        for _ in range(3):
            before = colors()[0]
            await pilot.press("T")
            await wait_until(lambda before=before: colors()[0] != before)
            await wait_until(lambda: colors()[0] in colors()[1])
