"""Asks what to write of a run, for other programs."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from stoker.engine.runs.folder import RunFolder

FILES = {
    "metrics.csv": "every curve, a row each step",
    "curves.png": "the curves as a picture",
    "weights.safetensors": "the best parameters, for any program",
    "weights.pt": "the same, for torch.load",
    "model.pt": "the whole model, without stoker",
    "tensorboard": "event files that TensorBoard opens",
}


class Export(ModalScreen[Path | None]):
    """Dismissed with the file to write, or None."""

    BINDINGS = [Binding("escape,q,ctrl+c", "dismiss(None)", "Cancel", id="export.cancel", tooltip="Write nothing")]

    def __init__(self, folder: RunFolder) -> None:
        """Ask what to write of the run in `folder`."""
        super().__init__()
        self._target = Path("exports") / folder.name

    def compose(self) -> ComposeResult:
        """List the files."""
        with Vertical(id="export") as box:
            box.border_title = "export"
            box.border_subtitle = "enter writes · esc cancels"
            options = [
                Option(Content.assemble((f"{name:<21}", "bold"), (about, "$label")), id=name)
                for name, about in FILES.items()
            ]
            yield OptionList(*options, compact=True)
            yield Static(f"into {self._target}/", markup=False, id="into")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Write that."""
        self.dismiss(self._target / str(event.option_id))
