"""Axis ticks at round numbers, with short labels."""

from __future__ import annotations

import math

from ..formatting import duration

CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)  # seconds
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))  # of step numbers
MOST = 100  # ticks of an axis
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
    return at_multiples(low, high, nice_step(high - low, parts))


def at_multiples(low: float, high: float, step: float) -> Ticks:
    """Return ticks at the multiples of `step`, `MOST` at most."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    places = [index * step for index in range(first, min(last, first + MOST) + 1)]
    biggest = max(map(abs, places), default=0.0)
    scientific = biggest >= 1e6 or 0 < biggest < 1e-3
    return [(place, _label(place, step, scientific)) for place in places]


def logarithmic(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for a log axis between the exponents `low` and `high`."""
    powers = math.floor(high + 1e-9) - math.ceil(low - 1e-9)
    if powers < 1:
        return [(math.log10(number), label) for number, label in linear(10**low, 10**high, parts) if number > 0]
    every = max(1, math.ceil((powers + 1) / max(parts, 1)))
    return _powers(math.ceil(low - 1e-9), high, every)


def decades(low: float, high: float, every: int) -> Ticks:
    """Return ticks for a log axis at the exponents that are multiples of `every`."""
    return _powers(math.ceil(low / every - 1e-9) * every, high, every)


def _powers(first: int, high: float, every: int) -> Ticks:
    exponents = range(first, min(math.floor(high + 1e-9), first + MOST * every) + 1, every)
    written_out = all(abs(exponent) <= 5 for exponent in exponents)
    return [(float(n), f"{10.0**n:.{max(0, -n)}f}" if written_out else f"1e{n}") for n in exponents]


def steps(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for step numbers: 0, 500, 1k, 1.5k, 2M."""
    step = max(1.0, nice_step(high - low, parts))
    return [(place, _short(place, step)) for place, _ in linear(low, high, parts) if place == int(place)]


def epochs(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for epochs, with fractions: 0, 0.5, 1."""
    step = nice_step(high - low, parts)
    return [(place, _short(place, step)) for place, _ in linear(low, high, parts)]


def times(low: float, high: float, parts: int) -> Ticks:
    """Return ticks for seconds: 0s, 30s, 1:00, 2:00:00."""
    rough = (high - low) / max(parts, 1)
    step = next((size for size in CLOCK if size >= rough), 86_400 * nice_step((high - low) / 86_400, parts))
    if rough < CLOCK[0]:
        return [(place, f"{label}s") for place, label in linear(low, high, parts)]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(index * step, duration(index * step)) for index in range(first, min(last, first + 2 * parts + 2) + 1)]


def _short(number: float, step: float) -> str:
    """Return a number with a unit, 1.5k, and with the digits that tell it from the ticks a `step` beside it."""
    size, unit = next(((size, unit) for size, unit in UNITS if abs(number) >= size), (1.0, ""))
    text = f"{number / size:.{_decimals(step / size)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("0" if text == "-0" else text) + unit


def _label(place: float, step: float, scientific: bool) -> str:
    if abs(place) < step * 1e-6:
        return "0"
    if not scientific:
        return f"{place:.{_decimals(step)}f}"
    digits = math.floor(math.log10(abs(place)) + 1e-9) + _decimals(step, least=-400)
    mantissa, _, exponent = f"{place:.{max(0, digits)}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _decimals(step: float, least: int = 0) -> int:
    """Return the decimals of multiples of `step`; negative for a multiple of ten, if `least` allows that."""
    return max(least, -math.floor(math.log10(step) + 1e-9))
