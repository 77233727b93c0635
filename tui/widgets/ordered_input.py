"""A text field whose keys take effect in the order in which they were pressed."""

from __future__ import annotations

from ..terminal.textual_internals import OrderedKeysInput


class OrderedInput(OrderedKeysInput):
    """Textual's Input for slow links, where several keys arrive at once."""
