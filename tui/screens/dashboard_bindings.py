"""The dashboard's keys: those that control the run, and those that change only the view of it.

Their actions are the methods `action_…` of `dashboard_actions.py`; `send('save')` sends the command `save` to the engine,
where `engine/runtime/command_handler.py` handles it.
"""

from __future__ import annotations

from textual.binding import Binding

RUN_KEYS = [
    Binding("space", "send('pause')", "Pause", id="run.pause", tooltip="Pause after the current batch"),
    Binding("space", "send('resume')", "Continue", id="run.go_on", tooltip="Continue a paused run"),
    Binding(
        "r", "resume", "Resume", id="run.resume",
        tooltip="Continue, restart or extend this run",
    ),
    Binding("s", "send('save')", "Save", id="run.save", tooltip="Save a resumable checkpoint now"),
    Binding("e", "send('evaluate')", "Evaluate", id="run.evaluate", tooltip="Evaluate the model now"),
    Binding(
        "P", "release", "Free GPU", id="run.release", show=False,
        tooltip="Pause and release GPU memory until resumed",
    ),
    Binding(
        "S", "stop", "Stop", id="run.stop", show=False,
        tooltip="Save and end after this batch; asks first",
    ),
    Binding(
        "plus", "rate(1)", "LR up", id="run.rate_up", show=False, key_display="+",
        tooltip="× 1.25; the schedule keeps its shape",
    ),
    Binding(
        "minus", "rate(-1)", "LR down", id="run.rate_down", show=False, key_display="-",
        tooltip="÷ 1.25",
    ),
    Binding(
        "equals_sign", "type_rate", "Set LR", id="run.rate", show=False, key_display="=",
        tooltip="Type a learning rate",
    ),
]  # fmt: skip

VIEW_KEYS = [
    Binding("tab", "look('next')", "Plot", id="view.next", tooltip="Show the next plot large"),
    *(
        Binding(key, f"look('{what}')", words, id=f"view.{what}", tooltip=tooltip, show=False)
        for key, what, words, tooltip in (
            ("l", "log", "Log axis", "Logarithmic axis for the large plot"),
            ("shift+tab", "previous", "Previous plot", "Show the previous plot large"),
            ("g", "grid", "Grid", "All plots in equal size, or one large"),
            ("m", "mean", "Smooth", "Mean of the last 10, 100, … steps, or none"),
            ("w", "last", "Last N steps", "The last 10,000, 1,000 or 100 steps, or all"),
            ("x", "axis", "X axis", "Steps, epochs or time"),
            ("f", "fold", "Fold", "All folds as a band, or one fold"),
            ("left,left_square_bracket", "left", "Cursor", "Read values, further left"),
            ("right,right_square_bracket", "right", "Cursor", "Read values, further right"),
            ("shift+left", "far_left", "Cursor", "Ten columns left"),
            ("shift+right", "far_right", "Cursor", "Ten columns right"),
            ("up,i", "nearer", "Zoom in", "Half as many steps, around the cursor"),
            ("down,o", "wider", "Zoom out", "Twice as many steps"),
            ("escape", "all", "Reset view", "No cursor, no zoom"),
        )
    ),
    Binding(
        "colon", "goto", "Go to", id="view.goto", show=False, key_display=":",
        tooltip="A step, an epoch (e4) or a time (12:30)",
    ),
    Binding("y", "copy", "Copy", id="view.copy", show=False, tooltip="Values at the cursor, or the resume command"),
    Binding("slash", "find", "Find plots", id="view.find", show=False, key_display="/",
            tooltip="Only plots with these words in their names"),
    Binding("L", "log('focus')", "Log", id="view.log_focus", show=False, tooltip="Put ↑ ↓ on the log, or take them off"),
    *(
        Binding(key, f"log('{key}')", "Scroll log", id=f"view.log_{key}", show=False, tooltip=tooltip)
        for key, tooltip in (
            ("pageup", "One page of the log"),
            ("pagedown", "One page of the log"),
            ("home", "First or last line of the log"),
            ("end", "First or last line of the log"),
        )
    ),
    *(Binding(str(number), f"look('{number}')", f"Plot {number}", id=f"view.{number}", show=False)
      for number in range(1, 10)),
]  # fmt: skip
