"""The dashboard's keys: those that ask the run, and those that change only what is seen of it."""

from __future__ import annotations

from textual.binding import Binding

STEERING = [
    Binding("space", "ask('pause')", "Pause", id="run.pause", tooltip="Pause after the batch under way"),
    Binding("space", "ask('resume')", "Go on", id="run.go_on", tooltip="Go on with a paused run"),
    Binding(
        "r", "resume", "Resume", id="run.resume",
        tooltip="Go on if paused, from the last save, or longer",
    ),
    Binding("s", "ask('save')", "Save", id="run.save", tooltip="Save all it takes to resume, also while paused"),
    Binding("e", "ask('evaluate')", "Evaluate", id="run.evaluate", tooltip="Evaluate the model now, as it is"),
    Binding(
        "P", "release", "Free GPU", id="run.release", show=False,
        tooltip="Pause, and free the device's memory until then",
    ),
    Binding(
        "S", "stop", "Stop", id="run.stop", show=False,
        tooltip="Save and end after this batch; asks first",
    ),
    Binding(
        "plus", "rate(1)", "Rate up", id="run.rate_up", show=False, key_display="+",
        tooltip="Times 1.25; the schedule keeps its shape",
    ),
    Binding(
        "minus", "rate(-1)", "Rate down", id="run.rate_down", show=False, key_display="-",
        tooltip="Divided by 1.25",
    ),
    Binding(
        "equals_sign", "type_rate", "Set rate", id="run.rate", show=False, key_display="=",
        tooltip="Type a learning rate",
    ),
]  # fmt: skip

VIEWING = [
    Binding("tab", "look('next')", "Plot", id="view.next", tooltip="The next plot is the large one"),
    *(
        Binding(key, f"look('{what}')", words, id=f"view.{what}", tooltip=tooltip, show=False)
        for key, what, words, tooltip in (
            ("l", "log", "Log axis", "A logarithmic axis for the large plot"),
            ("shift+tab", "previous", "Plot back", "The plot before is the large one"),
            ("g", "grid", "Grid", "All plots alike, or one large"),
            ("m", "mean", "Smooth", "Mean of the last 10, 100, … steps, or none"),
            ("w", "last", "Window", "The last 10,000, 1,000, 100 steps, or all"),
            ("x", "axis", "Across", "Steps, epochs, or time across"),
            ("f", "fold", "Fold", "All folds as a band, or one before the others"),
            ("left,left_square_bracket", "left", "Cursor", "Read values, further to the left"),
            ("right,right_square_bracket", "right", "Cursor", "Read values, further to the right"),
            ("shift+left", "far_left", "Cursor", "Ten columns to the left"),
            ("shift+right", "far_right", "Cursor", "Ten columns to the right"),
            ("up,i", "nearer", "Zoom in", "Half as many steps, around the cursor"),
            ("down,o", "wider", "Zoom out", "Twice as many steps"),
            ("escape", "all", "Whole run", "No cursor, no zoom"),
        )
    ),
    *(Binding(str(number), f"look('{number}')", f"Plot {number}", id=f"view.{number}", show=False)
      for number in range(1, 10)),
]  # fmt: skip
