"""The table of run states."""

from __future__ import annotations

import subprocess
import sys

from stoker.engine.runs.status import FINISHED, RESUMABLE, RUN_STATES, STATES, label


def test_every_state_has_one_row() -> None:
    """Names are unique; a finished run has no engine."""
    assert len(STATES) == len(RUN_STATES)
    assert not any(state.finished and state.engine for state in RUN_STATES)


def test_labels_are_words_for_a_person() -> None:
    """A state of a newer version is shown by its name."""
    assert (label("lost"), label("early_stopping"), label("training")) == ("interrupted", "stopped early", "training")
    assert label("of-a-later-version") == "of-a-later-version"


def test_what_each_state_allows() -> None:
    """The commands and the screens rely on these groups."""
    assert set(FINISHED) == {"completed", "early_stopping", "stopped", "failed"}
    assert set(RESUMABLE) == {"paused", "lost", "stopped", "failed", "new"}


def test_the_table_needs_no_torch() -> None:
    """Completion of the command line reads it."""
    code = "import sys, stoker.engine.runs.status; print({'torch', 'numpy', 'textual'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
