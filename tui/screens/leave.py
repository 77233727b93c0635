"""The question before leaving a run that trains in this window: detach, save and quit, or stay."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from .confirm import Confirm

QUESTION = "This run trains in this window.\nSave a checkpoint and quit? Continue later with `stoker resume`."
OFFER = "Or press d to detach: it trains on in the background, and `stoker attach` shows it again."


class Leave(Confirm):
    """Asks whether to save and quit; dismissed with True for that. It offers to detach too, unless the run is paused."""

    BINDINGS = [Binding("d", "detach", "Detach", id="leave.detach", tooltip="Train on in the background")]

    def __init__(self, detach: Callable[[], None] | None) -> None:
        """Offer to call `detach`, unless it is None."""
        super().__init__(QUESTION, yes="Save and quit", no="Stay", leaving=True)
        self._to_background = detach

    def compose(self) -> ComposeResult:
        """Show the question above the buttons."""
        with Vertical(id="question"):
            yield Static(QUESTION if self._to_background is None else f"{QUESTION}\n\n{OFFER}", markup=False)
            with Horizontal():
                yield Button("Save and quit", id="yes", variant="warning", compact=True)
                if self._to_background is not None:
                    yield Button("Detach", id="detach", compact=True)
                yield Button("Stay", id="no", compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer Detach only where it is possible."""
        return super().check_action(action, parameters) if action != "detach" else self._to_background is not None

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by a button."""
        if event.button.id == "detach":
            event.stop()
            event.prevent_default()
            self.action_detach()

    def action_detach(self) -> None:
        """Leave the run to a background process."""
        self.dismiss(False)
        if self._to_background is not None:
            self._to_background()
