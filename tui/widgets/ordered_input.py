"""A line to type in whose keys take effect in the order in which they were pressed."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input


class Field(Input):
    """Textual's Input, for slow links, where several keys arrive at once."""

    async def _on_key(self, event: Key) -> None:
        # Textual types at once but lets bound keys bubble up to the app first, past what is typed after them:
        # https://github.com/Textualize/textual/issues/6605
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not event.is_printable and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
        await super()._on_key(event)
