"""A compositor that renders only the changed widgets; Textual's own renders every widget at every update."""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class DirtyRegionCompositor(Compositor):
    """Textual's compositor, but a partial update renders only widgets that overlap a dirty region."""

    _unrendered: list[Region] | None = None  # dirty regions without a render yet; None during a full update

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return the update of the dirty regions, or None if there are none."""
        self._unrendered = list(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._unrendered = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if self._unrendered is None:
            yield from super()._get_renders(crop)
            return
        # Front to back: once a widget covers a dirty region, the widgets behind it cannot be visible there.
        for widget, (region, clip) in self.visible_widgets.items():
            visible = region.intersection(clip)
            if any(visible.overlaps(changed) for changed in self._unrendered):
                inside = Region(visible.x - region.x, visible.y - region.y, visible.width, visible.height)
                yield region, clip, widget.render_lines(inside)
                self._unrendered = [changed for changed in self._unrendered if not visible.contains_region(changed)]
