"""Axis ticks at round numbers, with short labels."""

from __future__ import annotations

import math

from ..formatting import duration

CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)  # seconds
Ticks = list[tuple[float, str]]
"""Position and label of each tick."""


def nice_step(span: float, parts: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that `span` has at most `parts` pieces of that size."""
    rough = span / max(parts, 1)
    if not math.isfinite(rough) or rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= rough * (1 - 1e-9)), power * 10)


def linear(low: float, high: float, parts: int) -> Ticks:
    """Return ticks between `low` and `high`."""
    step = nice_step(high - low, parts)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = [index * step for index in range(first, min(last, first + 2 * parts + 2) + 1)]
    return [(place, _label(place, step)) for place in places]


def logarithmic(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for a log axis between the exponents `low` and `high`."""
    decades = math.floor(high + 1e-9) - math.ceil(low - 1e-9)
    if decades < 1:
        numbers = [number for number, _ in linear(10**low, 10**high, parts) if number > 0]
        return [(math.log10(number), f"{number:.3g}") for number in numbers]
    every = max(1, math.ceil((decades + 1) / max(parts, 1)))
    exponents = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1, every)
    return [(float(exponent), _power(exponent)) for exponent in exponents]


def steps(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for step numbers: 0, 500, 1k, 1.5k, 2M."""
    whole = [(place, label) for place, label in linear(low, high, parts) if place == int(place)]
    return [(place, short(place)) for place, _ in whole]


def epochs(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for epochs, with fractions: 0, 0.5, 1."""
    return [(place, short(round(place, 9))) for place, _ in linear(low, high, parts)]


def times(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for seconds: 0s, 30s, 1:00, 2:00:00."""
    rough = (high - low) / max(parts, 1)
    step = next((size for size in CLOCK if size >= rough), 86_400 * nice_step((high - low) / 86_400, parts))
    if rough < CLOCK[0]:
        return [(place, f"{place:.3g}s") for place, _ in linear(low, high, parts)]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(index * step, duration(index * step)) for index in range(first, min(last, first + 2 * parts + 2) + 1)]


def short(number: float) -> str:
    """Return a step number with a unit: 1.5k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.6g}{unit}"
    return f"{number:.6g}"


def _label(place: float, step: float) -> str:
    if abs(place) < step * 1e-6:
        return "0"
    if step < 1e-4 or abs(place) >= 1e6:
        return f"{place:.3g}"
    return f"{place:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def _power(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -4 <= exponent <= 4 else f"1e{exponent}"
