"""Commands work on any loop that has the methods of LoopActions."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CommandAnswered, Event, LearningRate, Paused, Resumed
from stoker.engine.runtime.command_handler import CommandHandler
from stoker.engine.runtime.stop_training import StopTraining


class Loop:
    """A loop that only records the calls of its methods; with `full` its device is out of memory."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.controls, self.events, self.calls = Controls(), list[Event](), list[str]()
        self.full = False
        self.handler = CommandHandler(self.controls, self.events.append, self)

    @property
    def position(self) -> dict[str, Any]:
        return {"step": 7, "epoch": 2}

    def flush(self) -> None:
        self.calls.append("flush")

    def save(self, command_id: str) -> None:
        self.calls.append(f"save {command_id}")

    def poll_saves(self) -> None:
        """Resume, since a paused loop calls this again and again."""
        self.controls.send(Command(command="resume"))

    def evaluate(self, cause: str) -> dict[str, float]:
        self.handler.poll(evaluating=True)
        self.calls.append(f"evaluate {cause}")
        return {"loss": 0.25}

    def set_learning_rate(self, lr: float) -> list[float]:
        self.calls.append(f"lr {lr}")
        return [lr, lr / 10]

    def offload(self) -> int:
        self.calls.append("offload")
        return 3 << 20

    def reload(self) -> None:
        if self.full:
            self.full = False
            raise torch.OutOfMemoryError
        self.calls.append("reload")

    def start_clock(self) -> None:
        self.calls.append("start clock")

    def stop_clock(self) -> None:
        self.calls.append("stop clock")

    def do(self, *commands: Command) -> list[tuple[str, str, str]]:
        """Send the commands, poll once, and return (command, status, message) of the answers."""
        for command in commands:
            self.controls.send(command)
        self.handler.poll()
        answers = [event for event in self.events if isinstance(event, CommandAnswered)]
        assert all((answer.step, answer.epoch) == (7, 2) for answer in answers)
        return [(answer.command, answer.status, answer.message) for answer in answers]


def test_a_pause_stops_the_clock_and_a_resume_starts_it() -> None:
    """`poll` returns only after the resume, and both are events."""
    loop = Loop()
    answers = loop.do(Command(command="pause"))
    assert answers == [("pause", "done", "paused"), ("resume", "done", "resumed")]
    assert [type(event) for event in loop.events if isinstance(event, Paused | Resumed)] == [Paused, Resumed]
    assert loop.calls == ["flush", "stop clock", "start clock"]


def test_a_save_is_left_to_the_loop_with_the_commands_id() -> None:
    """The handler does not answer it: the file is not safe yet."""
    loop = Loop()
    assert loop.do(Command(id="a", command="save")) == []
    assert loop.calls == ["flush", "save a"]


def test_an_evaluation_answers_with_its_metrics() -> None:
    """A pause that comes during the evaluation takes effect after it."""
    loop = Loop()
    answers = loop.do(Command(command="evaluate"))
    assert answers == [("evaluate", "done", "loss 0.25")]
    loop = Loop()
    loop.controls.send(Command(command="evaluate"))
    loop.controls.send(Command(command="pause"))
    loop.handler.poll()
    assert [event.command for event in loop.events if isinstance(event, CommandAnswered)] == [
        "pause", "evaluate", "resume",
    ]  # fmt: skip


def test_a_pause_with_release_offloads_and_a_full_device_stays_paused() -> None:
    """The first resume fails for lack of memory, the next one succeeds."""
    loop = Loop()
    loop.full = True
    answers = loop.do(Command(command="pause", release=True))
    assert answers == [
        ("pause", "done", "paused, released 3 MiB of cpu"),
        ("resume", "failed", "cpu is out of memory: still paused, try again later"),
        ("resume", "done", "resumed"),
    ]
    assert [call for call in loop.calls if "load" in call] == ["offload", "reload"]


def test_a_release_during_an_evaluation_fails_and_pauses() -> None:
    """Its data are on the device; after the evaluation a release works again."""
    loop = Loop()
    loop.controls.send(Command(command="pause", release=True))
    loop.handler.poll(evaluating=True)
    assert loop.handler.paused == "command" and "offload" not in loop.calls
    (answer,) = (event for event in loop.events if isinstance(event, CommandAnswered))
    assert answer.status == "failed" and "during an evaluation" in answer.message
    loop.do(Command(command="pause", release=True))
    assert "offload" in loop.calls


def test_a_learning_rate_is_an_event_with_every_group() -> None:
    """One that is not above 0 is refused."""
    loop = Loop()
    answers = loop.do(Command(command="set_learning_rate", lr=0.5), Command(command="set_learning_rate", lr=-1.0))
    assert [status for _, status, _ in answers] == ["done", "failed"]
    (event,) = (event for event in loop.events if isinstance(event, LearningRate))
    assert (event.lr, event.cause) == ([0.5, 0.05], "command")


def test_a_stop_ends_the_loop_and_leaves_the_rest_to_close() -> None:
    """Commands after it are answered as failed, with the reason."""
    loop = Loop()
    with pytest.raises(StopTraining) as stop:
        loop.do(Command(command="stop"))
    assert (stop.value.cause, stop.value.save_cause) == ("stopped", "command")
    loop.controls.send(Command(command="evaluate"))
    loop.handler.close("the run has ended")
    answers = [event for event in loop.events if isinstance(event, CommandAnswered)]
    assert (answers[-1].command, answers[-1].status, answers[-1].message) == (
        "evaluate",
        "failed",
        "the run has ended",
    )


def test_an_unknown_command_is_answered_with_the_known_ones() -> None:
    """Its name is cut, because another process wrote it."""
    ((_, status, message),) = Loop().do(Command(command="dance" * 50))
    assert status == "failed" and "set_learning_rate" in message and len(message) < 200


@pytest.mark.parametrize("lr", [None, 0.0, -1.0, float("inf"), float("nan")])
def test_a_learning_rate_that_is_none_is_refused(lr: float | None) -> None:
    """Neither the optimizer nor the history hears of it."""
    loop = Loop()
    ((_, status, message),) = loop.do(Command(command="set_learning_rate", lr=lr))
    assert status == "failed" and message.startswith("a learning rate must be a number above 0")
    assert not any(isinstance(event, LearningRate) for event in loop.events) and loop.calls == []


def test_a_learning_rate_is_given_to_the_loop() -> None:
    """The event has the rates that the loop returned."""
    loop = Loop()
    loop.do(Command(command="set_learning_rate", lr=0.25))
    assert loop.calls == ["flush", "lr 0.25"]
