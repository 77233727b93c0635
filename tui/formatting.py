"""Numbers as text for the user. Every function accepts any float and never raises."""

from __future__ import annotations

import math
from collections.abc import Sequence


def count(number: float) -> str:
    """Return a whole number with thousands separators: 12,345."""
    return f"{number:,.0f}" if math.isfinite(number) else value(number)


def value(number: float | None) -> str:
    """Return a measured number with four significant digits: 0.5410, NaN.

    Trailing zeros are kept, so that a number keeps its width while it changes.
    """
    if number is None:
        return "–"
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"
    if number == 0 or 1e-3 <= abs(number) < 1e4:
        return f"{number:#.4g}".rstrip(".")
    return plain(number)


def plain(number: float) -> str:
    """Return a setting, such as a learning rate, in its shortest form: 0.01, 9e-4, 1e-5.

    The size alone decides on the notation: below 0.001 all numbers have an exponent.
    """
    mantissa, _, exponent = f"{number:.4g}".partition("e")
    if not exponent and 0 < abs(number) < 1e-3:
        mantissa, _, exponent = f"{number:.3e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def plains(numbers: Sequence[float]) -> str:
    """Return several settings separated by commas, equal values once."""
    return ", ".join(dict.fromkeys(map(plain, numbers))) or "–"


def rate(number: float) -> str:
    """Return a rate with three digits and a unit prefix: 12.3k."""
    if not math.isfinite(number) or number < 0:
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            scaled = number / (1e3 if unit == "k" else size)
            return f"{scaled:.1f}{unit}"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def duration(seconds: float | None) -> str:
    """Return a number of seconds as 9s, 4:05, 2:03:04 or 3d 04h."""
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


def short_duration(seconds: float) -> str:
    """Return a short time, such as that of a save, as 12 ms, 3.4 s or 2:05."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def size(number: float) -> str:
    """Return a number of bytes with its unit: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def metrics(numbers: dict[str, float]) -> str:
    """Return metrics on one line: loss 0.054  accuracy 0.9667 ± 0.0074.

    `accuracy_std`, if it is there, is the standard deviation of `accuracy`.
    """
    deviations = {f"{name}_std": name for name in numbers if f"{name}_std" in numbers}
    return "  ".join(
        f"{name} {value(number)}" + (f" ± {numbers[f'{name}_std']:.2g}" if name in deviations.values() else "")
        for name, number in numbers.items()
        if name not in deviations
    )


def ago(seconds: float) -> str:
    """Return an age in its largest unit: 9 s, 4 min, 2 h, 3 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
