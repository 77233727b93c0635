"""The dialog for an export: a list of the file formats."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from stoker.engine.export.formats import FORMATS
from stoker.engine.runs.folder import RunFolder


class Export(ModalScreen[Path | None]):
    """Lists the formats; dismissed with the path to write, or None."""

    BINDINGS = [Binding("escape,q,ctrl+c", "dismiss(None)", "Cancel", id="export.cancel", tooltip="Write nothing")]

    def __init__(self, folder: RunFolder) -> None:
        """Ask for the file to export from the run in `folder`."""
        super().__init__()
        self._target = Path("exports") / folder.name

    def compose(self) -> ComposeResult:
        """List the formats with their descriptions."""
        with Vertical(id="export") as box:
            box.border_title = "export"
            box.border_subtitle = "enter exports · esc cancels"
            options = [
                Option(Content.assemble((f"{one.name:<21}", "bold"), (one.about, "$label")), id=one.name)
                for one in FORMATS
            ]
            yield OptionList(*options, compact=True)
            yield Static(f"into {self._target}/", markup=False, id="into")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Dismiss with the chosen path."""
        self.dismiss(self._target / str(event.option_id))
