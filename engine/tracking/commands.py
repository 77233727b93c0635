"""The commands that a run can take which only logs: it pauses and stops where the script logs next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..runs.commands import COMMAND_NAMES, Command, Controls
from ..runs.events import CommandAnswered, Event, Paused, Resumed


class ScriptCommands:
    """Carries out pause, resume and stop inside a call of the script, and refuses the rest."""

    def __init__(
        self, controls: Controls, emit: Callable[[Event], None], position: Callable[[], dict[str, Any]]
    ) -> None:
        """Take the commands of `controls`; `position` returns the fields `step` of an event."""
        self._controls, self._emit, self._position = controls, emit, position

    def carry_out(self) -> bool:
        """Carry out the commands so far, and return whether the script must stop. While paused, wait."""
        paused = False
        while True:
            for command in self._controls.take():
                match command.command:
                    case "stop":
                        self._answer(command, "done", "stopping")
                        return True
                    case "pause" if not command.release:
                        if not paused:
                            self._emit(Paused(**self._position()))
                        self._answer(command, "done", "was paused already" if paused else "paused")
                        paused = True
                    case "resume":
                        if paused:
                            self._emit(Resumed(**self._position()))
                        self._answer(command, "done", "resumed" if paused else "was not paused")
                        paused = False
                    case _:
                        self._refuse(command)
            if not paused:
                return False
            self._controls.wait()

    def close(self) -> None:
        """Answer the commands that are left."""
        for command in self._controls.take():
            self._answer(command, "failed", "the run has ended")

    def _refuse(self, command: Command) -> None:
        known = command.command in COMMAND_NAMES
        message = "this run only logs numbers; its script saves, evaluates and sets rates itself (see stoker.Run)"
        self._answer(command, "failed", message if known else f"unknown command {command.command!r}")

    def _answer(self, command: Command, status: str, message: str) -> None:
        name = command.command
        self._emit(CommandAnswered(id=command.id, command=name, status=status, message=message, **self._position()))
