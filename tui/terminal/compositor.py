"""Renders the widgets that changed alone, where Textual's own compositor asks every widget at every update."""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class NarrowCompositor(Compositor):
    """Textual's compositor, asking fewer widgets."""

    _open: list[Region] | None = None  # what has changed and is not yet rendered; None in a full update

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what has changed, if anything has."""
        self._open = list(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._open = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if self._open is None:
            yield from super()._get_renders(crop)
            return
        # Front to back: what lies behind a widget that covers a change adds nothing to it.
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if any(seen.overlaps(changed) for changed in self._open):
                inside = Region(seen.x - region.x, seen.y - region.y, seen.width, seen.height)
                yield region, clip, widget.render_lines(inside)
                self._open = [changed for changed in self._open if not seen.contains_region(changed)]
