"""The fields of Settings: a default, a help text and the rules for its values."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import SettingError
from .specs import Every, Spec

MAX_COUNT = 10**10  # largest value of a setting that counts something; a larger one is a typing error
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,4})?")


def setting(
    default: Any,
    help: str,
    *,
    metavar: str = "N",
    minimum: int | None = None,
    choices: Sequence[str] = (),
    check: Callable[[str, Any], None] | None = None,
) -> Any:
    """Return a field of Settings with its default and help text.

    `metavar` stands for the value on the help page. A value must be at least `minimum` and one of `choices`;
    `check(name, value)` raises SettingError for other reasons. None is never checked.
    """
    metadata = {"help": help, "metavar": metavar, "minimum": minimum, "choices": tuple(choices), "check": check}
    return dataclasses.field(default=default, metadata=metadata)


def check_positive(name: str, value: float) -> None:
    """Refuse a number that is not finite or not above 0. Raises SettingError."""
    if not (math.isfinite(value) and value > 0):
        raise SettingError(f"{flag(name)} must be a number above 0, not {value}")


def check_share(name: str, value: float) -> None:
    """Refuse a number below 0, or of 1 or more. Raises SettingError."""
    if not 0 <= value < 1:
        raise SettingError(f"{flag(name)} must be at least 0 and below 1, not {value}")


def check_seed(name: str, value: int) -> None:
    """Refuse a seed that numpy does not take. Raises SettingError."""
    if value >= 2**32:
        raise SettingError(f"{flag(name)} must be below 2**32, the largest seed of numpy, not {value}")


def check_device(name: str, value: str) -> None:
    """Refuse a text that names no device. Raises SettingError."""
    if not DEVICE.fullmatch(value):
        raise SettingError(f"{flag(name)} must be cpu, cuda, cuda:N, mps or auto, not {value!r}")


def check_workers(name: str, value: int) -> None:
    """Refuse more worker processes than a machine can start. Raises SettingError."""
    most = max(64, 4 * (os.cpu_count() or 1))
    if value > most:
        raise SettingError(f"{flag(name)} must be at most {most} on this machine, not {value}: each is a process")


def check_eval_every(name: str, value: str) -> None:
    """Refuse a text other than a number of epochs or steps. Raises SettingError."""
    Every.parse(value, what=flag(name))


def check_save_every(name: str, value: str) -> None:
    """Refuse a text other than a number of epochs, steps, seconds or minutes. Raises SettingError."""
    Every.parse(value, what=flag(name), time=True)


def check_optimizer(_name: str, value: str) -> None:
    """Refuse a text other than a name with options. Raises SettingError."""
    Spec.parse(value)


def check_scheduler(_name: str, value: str) -> None:
    """Refuse a text other than a name with options, or several joined by +. Raises SettingError."""
    for part in value.split("+"):
        Spec.parse(part)


def check_value(name: str, value: Any, rules: Mapping[str, Any]) -> None:
    """Check a value by the metadata of its field. Raises SettingError, which names the option."""
    if value is None:
        return
    if rules["minimum"] is not None:
        _check_count(name, value, rules["minimum"])
    if rules["choices"] and value not in rules["choices"]:
        raise SettingError(f"{flag(name)} must be {join_or(rules['choices'])}, not {value!r}")
    if rules["check"] is not None:
        rules["check"](name, value)


def join_or(values: Sequence[Any]) -> str:
    """Return the values as a list in words: `a, b or c`."""
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}" if most else last


def flag(name: str) -> str:
    """Return a setting's name as on the command line: `batch_size` is `--batch-size`."""
    return "--" + name.replace("_", "-")


def _check_count(name: str, value: int, minimum: int) -> None:
    if value < minimum:
        raise SettingError(f"{flag(name)} must be at least {minimum}, not {value}")
    if value > MAX_COUNT:
        raise SettingError(f"{flag(name)} must be at most {MAX_COUNT:,}, not {value}")
