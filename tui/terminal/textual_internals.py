"""The features of Textual that stoker uses by their private names.

`terminal/` is the only folder with such names: after an update of Textual, check this folder.
"""

from __future__ import annotations

import asyncio
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.drivers import linux_driver
from textual.events import Key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from .compositor import DirtyRegionCompositor
from .diff import ScreenDiff


def _tolerant_decoder(encoding: str) -> Callable[[], IncrementalDecoder]:
    return partial(getincrementaldecoder(encoding), errors="replace")


# Textual's driver decodes what is typed strictly: one byte of a Latin-1 terminal, or line noise, would end the app.
linux_driver.getincrementaldecoder = _tolerant_decoder  # type: ignore[assignment,attr-defined]


_resume_application = linux_driver.LinuxDriver._sigcont_application


def _resume_while_the_app_runs(driver: linux_driver.LinuxDriver, *_: Any) -> None:
    """Handle SIGCONT, unless the app has ended: a process that trains on would end by Textual's error."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    _resume_application(driver)


linux_driver.LinuxDriver._sigcont_application = _resume_while_the_app_runs  # type: ignore[assignment,method-assign]


class TerminalApp(App[None]):
    """An app that sends only the characters that changed since the frame before."""

    def __init__(self) -> None:
        """Start with an unknown screen: the first frame is sent whole."""
        super().__init__()
        self.screen_diff = ScreenDiff()
        self.title_changed = False
        """Whether the app has set the terminal's title, so that the old one must be restored at the end."""

    def write_sequence(self, sequence: str) -> bool:
        """Write an escape sequence that Textual has no call for; return False if the app has no terminal."""
        if self._driver is None or self.is_headless:
            return False
        self._driver.write(sequence)
        return True

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = self.screen_diff.difference(renderable, self.size)
        super()._display(screen, renderable)


class OrderedKeysInput(Input):
    """An Input whose bound keys take effect in the order in which they were pressed."""

    async def _on_key(self, event: Key) -> None:
        # Textual inserts a typed character at once, but a bound key first bubbles up to the app. So a character could
        # overtake a bound key that was pressed before it:
        # https://github.com/Textualize/textual/issues/6605
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not event.is_printable and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
        await super()._on_key(event)


def render_only_dirty_widgets(screen: Screen[Any]) -> None:
    """Let an update of `screen` render only the widgets that changed; call it before the screen is shown."""
    screen._compositor = DirtyRegionCompositor()


def draw_in_next_frame(widget: Widget) -> None:
    """Draw a refreshed widget in the next frame; else each one waits until it has handled its messages."""
    widget.screen._dirty_widgets.add(widget)


def bindings_of(node: DOMNode) -> Iterator[tuple[str, Binding]]:
    """Yield each key of `node` with its binding, in the order in which they were declared."""
    yield from node._bindings
