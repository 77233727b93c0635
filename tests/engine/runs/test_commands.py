"""Commands to the training loop."""

from __future__ import annotations

import os
import threading
import time

import pytest

from stoker.engine.runs import client, commands
from stoker.engine.runs.commands import Command, Controls, parse
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled


def test_commands_of_this_process_come_in_order() -> None:
    """Each is taken once, in the order of sending."""
    controls = Controls()
    assert not controls.pending(time.monotonic())
    sent = [Command(command="pause"), Command(command="save")]
    assert [controls.send(command) for command in sent] == [command.id for command in sent]
    assert controls.pending(time.monotonic())
    assert controls.take() == sent
    assert controls.take() == []


def test_commands_of_another_process_come_from_the_file(run_folder: RunFolder) -> None:
    """Those appended after the engine started; older lines are ignored."""
    commands.append(run_folder.commands, Command(command="stop"))
    controls = Controls(run_folder.commands)
    sent = Command(command="set_learning_rate", lr=0.5)
    commands.append(run_folder.commands, sent)
    assert controls.pending(time.monotonic())
    assert controls.take() == [sent]
    assert run_folder.commands.stat().st_mode & 0o777 == 0o600


def test_garbage_in_the_file_is_skipped(run_folder: RunFolder) -> None:
    """Half lines, binary, a megabyte, nonsense. An unknown command is returned, so that the loop refuses it by name."""
    controls = Controls(run_folder.commands)
    good = b'{"id":"7","command":"dance"}'
    run_folder.commands.write_bytes(b"\xff\x00\n[1]\n" + b"x" * 1_000_000 + b'\n{"command":\n' + good + b"\n{half")
    assert [command.command for command in controls.take()] == ["dance"]
    assert parse(b'{"command":5}') is None


def test_a_waiting_loop_wakes_at_once_and_loses_nothing() -> None:
    """`wait` returns when a command is sent, and `take` still returns it."""
    controls = Controls()
    sent = Command(command="resume")
    threading.Timer(0.01, controls.send, (sent,)).start()
    start = time.monotonic()
    controls.wait(30)
    assert time.monotonic() - start < scaled(15)
    assert controls.take() == [sent]
    controls.wake()
    controls.wait(30)
    assert time.monotonic() - start < scaled(15)
    assert controls.take() == []


def test_a_signal_is_pending_until_the_run_ends() -> None:
    """`take` does not clear it."""
    controls = Controls()
    controls.end(15)
    assert controls.pending(time.monotonic())
    assert controls.signal == 15


def test_sender_hears_that_the_engine_does_not_answer(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped engine takes the command later, also if the sender has given up."""

    class Told(Exception):
        pass

    def tell(line: str) -> None:
        raise Told(line)

    monkeypatch.setattr(client, "TELL_AFTER", 0.0)
    with run_folder.lock(), pytest.raises(Told, match=f"no answer from process {os.getpid()} on .* yet: it takes"):
        client.send_command(run_folder, Command(command="pause"), tell)


def test_sender_that_gives_up_takes_its_command_back(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that was in a long batch then never sees it; the commands of others stay."""
    controls = Controls(run_folder.commands)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    other = Command(command="save")
    commands.append(run_folder.commands, other)
    monkeypatch.setattr(time, "sleep", interrupted)
    with run_folder.lock(), pytest.raises(KeyboardInterrupt):
        client.send_command(run_folder, Command(command="pause"))
    assert controls.take() == [other]


def test_command_that_was_taken_already_is_not_taken_back(run_folder: RunFolder) -> None:
    """Nothing is left to drop, and the loop sees no unknown command."""
    controls = Controls(run_folder.commands)
    sent = Command(command="pause")
    commands.append(run_folder.commands, sent)
    assert controls.take() == [sent]
    commands.append(run_folder.commands, Command(id=sent.id, command=commands.TAKEN_BACK))
    controls._next_poll = 0.0
    assert controls.take() == []
