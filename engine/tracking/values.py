"""The values that a script logs: numbers, texts, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | str | None]]:
    """Yield name and value of each entry: a number, a text, or None for what cannot be logged.

    Tensors and arrays of one element are numbers. Entries of a dict are named `outer/inner`.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}/")
        elif isinstance(value, str):
            yield f"{prefix}{name}", value
        else:
            yield f"{prefix}{name}", number(value)


def number(value: Any) -> float | None:
    """Return the value as a number now, because a tensor may change later; None if it is not one number."""
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError):
        return None
