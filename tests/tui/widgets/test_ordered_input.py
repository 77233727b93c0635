"""What is typed stands in the order in which it was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Input

from stoker.tui.widgets.ordered_input import Field

Until = Callable[[Callable[[], object]], Awaitable[None]]


class Typed(App[str]):
    """One field."""

    def compose(self) -> ComposeResult:
        """Focused."""
        yield Field("120", select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter ends it."""
        self.exit(event.value)


async def test_keys_that_come_together_keep_their_order(until: Until) -> None:
    """As they do where the link is slow: nothing waits between them."""
    app = Typed()
    async with app.run_test():
        await until(lambda: app.focused)
        for key, character in (("ctrl+u", "\x15"), ("6", "6"), ("7", "7"), ("backspace", "\x7f"), ("5", "5")):
            app.post_message(Key(key, character))
        await until(lambda: app.query_one(Input).value == "65")
        app.post_message(Key("enter", "\r"))
        await until(lambda: app.return_value is not None)
    assert app.return_value == "65"
