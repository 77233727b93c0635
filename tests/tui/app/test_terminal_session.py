"""The app in a real terminal: output of the task, also of C code, never disturbs the screen."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import textwrap
import time
from pathlib import Path

import pexpect
import pyte
import pytest
from textual.drivers.linux_driver import LinuxDriver

from stoker.engine.runs import folder as runs
from stoker.tui.terminal import textual_internals
from tests.support.deadlines import deadline, scaled

ROOT = Path(__file__).parents[3]
PROGRAM = """
    import os, sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import pytest
    from tests.support.fake_engine import FakeEngine
    from stoker.engine.runs import folder as runs
    from stoker.tui.app.app import StokerApp
    from stoker.tui.backend.engine_thread import EngineThread
    from stoker.tui.app.terminal_session import show

    engine = FakeEngine(pytest.MonkeyPatch())
    engine.prints, engine.last = True, {last}
    folder = runs.find_run(Path({runs!r}), "printing")
    app = StokerApp(folder, engine=EngineThread(folder))
    show(app, folder.log)
    print("afterwards", app.return_code, app.finished.cause, os.isatty(1), os.isatty(2))
    assert "torch" not in sys.modules
"""


class Terminal:
    """A program in a pseudo-terminal, with the screen that it shows."""

    def __init__(self, program: Path, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment |= {"COLUMNS": "70", "LINES": "20"}  # a shell may export an old size
        self.child = pexpect.spawn(
            sys.executable, [str(program)], dimensions=(height, width), env=environment, timeout=scaled(30)
        )
        self.raw = b""

    def until(self, *words: str) -> str:
        """Read until all the words are on the screen."""
        end = deadline(30)
        while not all(word in self.text for word in words):
            assert time.monotonic() < end, f"no {words} on\n{self.text}"
            try:
                data = self.child.read_nonblocking(65536, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert all(word in self.text for word in words), f"ended without {words} on\n{self.text}"
                break
            self.raw += data
            self._stream.feed(data)
        return self.text

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)


def program_of(at: Path, last: int | None = None) -> Path:
    """Write a program that trains the run `printing` up to step `last`, or until it is stopped."""
    program = at / "program.py"
    text = textwrap.dedent(PROGRAM).format(tests=str(ROOT), runs=str(at), last=last)
    program.write_text(text)
    return program


def test_printed_text_goes_to_the_log_while_the_dashboard_is_open(tmp_path: Path) -> None:
    """Printed text goes to engine.log and to the log panel. After the app the terminal is as before."""
    folder = runs.create(tmp_path, "digits", "printing", {})
    terminal = Terminal(program_of(tmp_path), 100, 40)
    screen = terminal.until(
        "printed by python", "printed by C", "warned by C", "warned by python", "● training", "Quit"
    )
    rows = screen.split("\n")
    assert "training" in rows[0] and "Quit" in rows[-1]
    # Each text is on a line of the log, and nowhere else.
    assert all(" ▌ " in row for row in rows if "printed by" in row or "warned by" in row)
    terminal.child.send(" ")
    terminal.until("‖ paused", "Continue")
    terminal.child.send("q")
    terminal.until("Save and quit")
    terminal.child.send("\r")
    terminal.until("afterwards 0 stopped True True")
    terminal.child.wait()
    assert terminal.child.exitstatus == 0
    printed = folder.log.read_text().split("\n")
    assert {"printed by python", "printed by C", "warned by C", "warned by python"} <= set(printed)
    assert b"\x1b" not in folder.log.read_bytes()
    assert folder.log.stat().st_mode & 0o777 == 0o600
    assert b"\x1b]2;" not in terminal.raw and b"\x1b[23;0t" not in terminal.raw


@pytest.mark.parametrize("noise", [b"\xe9", b"\xe9\xe8x", b"\x1b\xff", b"\xc3\x28", b"\xf0\x9f"])
def test_bytes_that_are_no_utf8_do_not_end_the_dashboard(tmp_path: Path, noise: bytes) -> None:
    """A Latin-1 terminal sends them for é, and so do line noise and a paste; the next key works."""
    runs.create(tmp_path, "digits", "printing", {})
    terminal = Terminal(program_of(tmp_path), 100, 40)
    terminal.until("● training")
    terminal.child.send(noise)
    time.sleep(0.3)
    terminal.child.send(" ")
    terminal.until("‖ paused", "Continue")
    terminal.child.send("q")
    terminal.until("Save and quit")
    terminal.child.send("\r")
    terminal.until("afterwards 0 stopped True True")


def test_terminal_title_shows_the_end_of_a_run_and_is_restored(tmp_path: Path) -> None:
    """The old title is pushed on the terminal's stack, and popped at the end."""
    runs.create(tmp_path, "digits", "printing", {})
    terminal = Terminal(program_of(tmp_path, last=20), 100, 40)
    terminal.until("✓ completed")
    terminal.child.send("q")
    terminal.until("afterwards 0 completed")
    assert re.findall(rb"\x1b\[2[23];0t|\x1b\]2;.*?\x07", terminal.raw) == [
        b"\x1b[22;0t",
        b"\x1b]2;completed: digits-recorded\x07",
        b"\x1b[23;0t",
    ]


LEAVES = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l")


def test_sigquit_gives_the_terminal_back(tmp_path: Path) -> None:
    """The process ends by the signal at once; the mouse, the screen, the cursor and echo are as before."""
    runs.create(tmp_path, "digits", "printing", {})
    terminal = Terminal(program_of(tmp_path), 100, 40)
    before = termios.tcgetattr(terminal.child.child_fd)[3]
    terminal.until("● training")
    assert not termios.tcgetattr(terminal.child.child_fd)[3] & termios.ECHO
    terminal.child.kill(signal.SIGQUIT)
    raw = terminal.child.read()
    terminal.child.wait()
    assert terminal.child.signalstatus == signal.SIGQUIT
    assert all(code in raw for code in LEAVES), raw[-300:]
    assert termios.tcgetattr(terminal.child.child_fd)[3] == before


def test_a_crash_of_the_interface_gives_the_terminal_back(tmp_path: Path) -> None:
    """Also where Textual's own code fails, so that it cannot."""
    runs.create(tmp_path, "digits", "printing", {})
    program = program_of(tmp_path)
    fault = """
from textual.drivers.linux_driver import LinuxDriver
LinuxDriver.stop_application_mode = LinuxDriver.disable_input = lambda self: None
import asyncio
from textual.app import App
async def _fails(self, *given, **more):
    LinuxDriver.write(self._driver, "\\x1b[?1049h\\x1b[?1000h") if self._driver else None
    raise RuntimeError("the interface has failed")
App.run_async = _fails
"""
    program.write_text(program.read_text().replace("engine = FakeEngine", fault + "\nengine = FakeEngine"))
    terminal = Terminal(program, 100, 40)
    raw = terminal.child.read()
    terminal.child.wait()
    assert b"the interface has failed" in raw
    assert all(code in raw for code in LEAVES), raw[-300:]


def test_a_continued_process_without_its_app_trains_on() -> None:
    """Textual's handler of SIGCONT stays after the app has ended; its error would end the training."""
    assert textual_internals.__name__, "importing the module replaces the handler"
    driver = LinuxDriver.__new__(LinuxDriver)
    driver._auto_restart = True
    driver._sigcont_application(signal.SIGCONT, None)
