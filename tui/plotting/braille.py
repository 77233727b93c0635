"""Lines of braille dots, and which line owns a character that several lines cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DASHES = (0, 8, 2, 16, 4)  # length in dots of a dash and of the gap after it; 0 for a solid line
DOTS_X, DOTS_Y = 2, 4  # columns and rows of dots in a braille character

Dots = NDArray[np.int64]
"""(n, 2): column from the left, row from the bottom."""


def line(points: Dots, gap: NDArray[np.bool_]) -> Dots:
    """Return the dots of a line through `points` (n, 2); no segment ends at a point whose `gap` (n,) is True."""
    linked = ~gap[1:]
    start, end = points[:-1][linked], points[1:][linked]
    moves = end - start
    lengths = np.abs(moves).max(axis=1, initial=0)
    which = np.repeat(np.arange(len(lengths)), lengths)
    # Index of each dot within its own segment.
    along = np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    between = start[which] + np.rint(moves[which] * (along / lengths[which])[:, None]).astype(np.int64)
    return np.unique(np.concatenate([points, between]), axis=0)


def dashed(dots: Dots, number: int) -> Dots:
    """Return the dots of line `number` with its dashes: line 0 is solid, the others differ in length."""
    length = DASHES[number % len(DASHES)]
    return dots[(dots[:, 0] // length) % 2 == 0] if length else dots


def band(low: Dots, high: Dots, columns: int, rows: int) -> Dots:
    """Return the dots of a band between two lines: dotted edges, and one dot in each character inside."""
    across = columns * DOTS_X
    bottom, top = np.full(across, rows * DOTS_Y), np.full(across, -1)
    np.minimum.at(bottom, low[:, 0], low[:, 1])
    np.maximum.at(top, high[:, 0], high[:, 1])
    x, y = np.meshgrid(np.arange(across), np.arange(rows * DOTS_Y), indexing="ij")
    edge = ((y == bottom[:, None]) | (y == top[:, None])) & (x % 2 == 0)
    inside = (y > bottom[:, None]) & (y < top[:, None]) & (x % DOTS_X == 0) & (y % DOTS_Y == x // DOTS_X % 2 * 2)
    return np.argwhere((edge & (bottom <= top)[:, None]) | inside)


def share(lines: Sequence[Dots], columns: int, rows: int) -> list[Dots]:
    """Give all dots of a character to the last line in it: a character has one colour, and no dot is lost."""
    owner = np.full((columns, rows), -1)
    for number, dots in enumerate(lines):
        owner[dots[:, 0] // DOTS_X, dots[:, 1] // DOTS_Y] = number
    everything = np.concatenate([np.empty((0, 2), np.int64), *lines])
    owners = owner[everything[:, 0] // DOTS_X, everything[:, 1] // DOTS_Y]
    return [everything[owners == number] for number in range(len(lines))]


def hidden_behind(back: Sequence[Dots], front: Sequence[Dots], columns: int, rows: int) -> list[Dots]:
    """Return the visible dots of the lines in the back: none in a character where a front line has a dot."""
    taken = np.zeros((columns, rows), np.bool_)
    for dots in front:
        taken[dots[:, 0] // DOTS_X, dots[:, 1] // DOTS_Y] = True
    return [dots[~taken[dots[:, 0] // DOTS_X, dots[:, 1] // DOTS_Y]] for dots in back]
