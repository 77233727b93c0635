"""Turn logged values into events: `steps` for consecutive steps, else `logged`."""

from __future__ import annotations

from collections.abc import Iterable

from ..runs.events import Event, Logged, Steps

Row = tuple[int, dict[str, float]]
"""A step and the values logged at it."""


def events_of(rows: Iterable[Row], last: int) -> list[Event]:
    """Return the events of the rows, in their order; `last` is the step of the last event before them.

    Values of one step in consecutive rows are one point each; a later value of the same name wins.
    """
    merged: list[Row] = []
    for step, values in rows:
        if merged and merged[-1][0] == step:
            merged[-1] = (step, {**merged[-1][1], **values})
        else:
            merged.append((step, values))
    events: list[Event] = []
    at = 0
    while at < len(merged):
        end = at + 1
        while end < len(merged) and merged[end][0] == merged[end - 1][0] + 1:
            end += 1
        # A step that has an event already is completed by a `logged` one, which replaces nothing else.
        dense = merged[at][0] > last and end - at > 1
        part = merged[at:end] if dense else merged[at : (end := at + 1)]
        events.append(_steps(part) if dense else Logged(step=part[0][0], values=part[0][1]))
        last, at = part[-1][0], end
    return events


def _steps(rows: list[Row]) -> Steps:
    """Return consecutive rows as one event, with one column for each name."""
    first = rows[0][1]
    if all(values.keys() == first.keys() for _, values in rows):
        # The usual case, and three times as fast.
        columns = zip(*(values.values() for _, values in rows), strict=True) if _same_order(rows) else ()
        scalars = {name: list(column) for name, column in zip(first, columns, strict=False)}
    else:
        scalars = {}
    if not scalars:
        names = dict.fromkeys(name for _, values in rows for name in values)
        scalars = {name: [values.get(name) for _, values in rows] for name in names}
    return Steps(first=rows[0][0], step=rows[-1][0], scalars=scalars)


def _same_order(rows: list[Row]) -> bool:
    names = list(rows[0][1])
    return all(list(values) == names for _, values in rows)
