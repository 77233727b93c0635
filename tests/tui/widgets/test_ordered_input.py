"""The input keeps the order of the key presses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Input

from stoker.tui.widgets.ordered_input import OrderedInput

Until = Callable[[Callable[[], object]], Awaitable[None]]


class Typed(App[str]):
    """An app with one input."""

    def compose(self) -> ComposeResult:
        """Focus the input."""
        yield OrderedInput("120", select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Exit with the text."""
        self.exit(event.value)


async def test_keys_that_come_together_keep_their_order(wait_until: Until) -> None:
    """All keys arrive at once, as on a slow link."""
    app = Typed()
    async with app.run_test():
        await wait_until(lambda: app.focused)
        for key, character in (("ctrl+u", "\x15"), ("6", "6"), ("7", "7"), ("backspace", "\x7f"), ("5", "5")):
            app.post_message(Key(key, character))
        await wait_until(lambda: app.query_one(Input).value == "65")
        app.post_message(Key("enter", "\r"))
        await wait_until(lambda: app.return_value is not None)
    assert app.return_value == "65"
