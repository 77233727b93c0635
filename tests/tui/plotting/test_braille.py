"""Lines of braille dots."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stoker.tui.plotting import braille

points = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), min_size=1, max_size=20)


@given(points)
def test_a_line_is_unbroken_and_passes_its_points(path: list[tuple[int, int]]) -> None:
    """Each dot touches another one."""
    found = {(x, y) for x, y in braille.line(np.array(path), np.zeros(len(path), bool)).tolist()}
    assert set(path) <= found
    touching = {(x + dx, y + dy) for x, y in found for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy}
    assert len(found) == 1 or found <= touching


@given(points)
def test_gaps_leave_only_the_points(path: list[tuple[int, int]]) -> None:
    """No line is drawn to a point with a gap."""
    found = braille.line(np.array(path), np.ones(len(path), bool)).tolist()
    assert {tuple(dot) for dot in found} == set(path)


@given(st.lists(points, min_size=1, max_size=4))
def test_sharing_loses_no_dot(paths: list[list[tuple[int, int]]]) -> None:
    """A shared character belongs to the last line and keeps all dots."""
    lines = [np.unique(np.array(path), axis=0) for path in paths]
    shared = braille.share(lines, 31, 11)
    assert {tuple(dot) for dots in shared for dot in dots.tolist()} == {dot for path in paths for dot in path}
    owners = [{(x // 2, y // 4) for x, y in dots.tolist()} for dots in shared]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert {(x // 2, y // 4) for x, y in lines[-1].tolist()} == owners[-1]
