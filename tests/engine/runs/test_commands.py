"""Requests to the loop."""

from __future__ import annotations

import threading
import time

from stoker.engine.runs import commands as controls
from stoker.engine.runs.commands import Command, Controls, parse
from stoker.engine.runs.folder import RunFolder


def test_commands_of_this_process_come_in_order() -> None:
    """First asked, first taken, each once."""
    desk = Controls()
    assert not desk.pending(time.monotonic())
    asked = [Command(command="pause"), Command(command="save")]
    assert [desk.send(command) for command in asked] == [command.id for command in asked]
    assert desk.pending(time.monotonic())
    assert desk.take() == asked
    assert desk.take() == []


def test_commands_of_another_process_come_from_the_file(folder: RunFolder) -> None:
    """Those appended after the engine began; what stood there before is no command."""
    controls.append(folder.commands, Command(command="stop"))
    desk = Controls(folder.commands)
    asked = Command(command="set_learning_rate", lr=0.5)
    controls.append(folder.commands, asked)
    assert desk.pending(time.monotonic())
    assert desk.take() == [asked]
    assert folder.commands.stat().st_mode & 0o777 == 0o600


def test_garbage_in_the_file_is_skipped(folder: RunFolder) -> None:
    """Half lines, binary, a megabyte, nonsense: never fatal; an unknown command is kept, to be refused by name."""
    desk = Controls(folder.commands)
    good = b'{"id":"7","command":"dance"}'
    folder.commands.write_bytes(b"\xff\x00\n[1]\n" + b"x" * 1_000_000 + b'\n{"command":\n' + good + b"\n{half")
    assert [command.command for command in desk.take()] == ["dance"]
    assert parse(b'{"command":5}') is None


def test_a_waiting_loop_wakes_at_once_and_loses_nothing() -> None:
    """`wait` returns when something is asked, and `take` still finds it."""
    desk = Controls()
    asked = Command(command="resume")
    threading.Timer(0.01, desk.send, (asked,)).start()
    start = time.monotonic()
    desk.wait(30)
    assert time.monotonic() - start < 15
    assert desk.take() == [asked]
    desk.wake()
    desk.wait(30)
    assert time.monotonic() - start < 15
    assert desk.take() == []


def test_a_signal_is_a_request() -> None:
    """It is pending until the run has ended."""
    desk = Controls()
    desk.end(15)
    assert desk.pending(time.monotonic())
    assert desk.signal == 15
