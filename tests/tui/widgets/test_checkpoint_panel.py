"""The panel of checkpoints in narrow widths."""

from __future__ import annotations

import pytest

from stoker.tui.widgets.checkpoint_panel import _row


@pytest.mark.parametrize(
    ("width", "words"),
    [(29, "latest step 3,752 1:09:56 ago"), (28, "latest step 3,752    1:09:56"), (24, "latest step 3,752       ")],
)
def test_the_step_is_never_cut(width: int, words: str) -> None:
    """The age is dropped first, because a number cut in half would mislead."""
    assert "".join(text for text, _ in _row("latest", 3752, "1:09:56", width)) == words
