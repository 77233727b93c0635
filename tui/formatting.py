"""Numbers as a person reads them; every function takes any float and never raises."""

from __future__ import annotations

import math
from collections.abc import Sequence


def count(number: float) -> str:
    """Return a whole number with thousands separated: 12,345."""
    return f"{number:,.0f}" if math.isfinite(number) else value(number)


def value(number: float | None) -> str:
    """Return a measured number in four significant digits, zeros kept, so that columns stand still: 0.5410, NaN."""
    if number is None:
        return "–"
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"
    if number == 0 or 1e-3 <= abs(number) < 1e4:
        return f"{number:#.4g}".rstrip(".")
    return plain(number)


def plain(number: float) -> str:
    """Return a chosen number as short as it goes: 0.01, 1e-5."""
    mantissa, _, exponent = f"{number:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def plains(numbers: Sequence[float]) -> str:
    """Return several chosen numbers, equal ones once."""
    return ", ".join(dict.fromkeys(map(plain, numbers))) or "–"


def rate(number: float) -> str:
    """Return a rate in three digits with a unit prefix: 12.3k."""
    if not math.isfinite(number) or number < 0:
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            scaled = number / (1e3 if unit == "k" else size)
            return f"{scaled:.1f}{unit}"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def duration(seconds: float | None) -> str:
    """Return seconds as 9s, 4:05, 2:03:04 or 3d 04h."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24}d {hours % 24:02}h"
    if hours:
        return f"{hours}:{minute:02}:{second:02}"
    return f"{minute}:{second:02}" if minute else f"{second}s"


def size(number: float) -> str:
    """Return bytes with a unit: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def metrics(numbers: dict[str, float]) -> str:
    """Return named numbers on one line: loss 0.054  accuracy 0.9667 ± 0.0074, where the deviation is known."""
    deviations = {f"{name}_std": name for name in numbers if f"{name}_std" in numbers}
    return "  ".join(
        f"{name} {value(number)}" + (f" ± {numbers[f'{name}_std']:.2g}" if name in deviations.values() else "")
        for name, number in numbers.items()
        if name not in deviations
    )
