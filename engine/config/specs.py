"""Parse the texts of settings: `step:size=5,gamma=0.5`, `500steps`, `warmup:steps=500+cosine`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..errors import SettingError

Value = int | float | bool | str | None
MAX_EVERY = 10**10  # a larger number is a typing error
EVERY = re.compile(r"(\d+(?:\.\d+)?)\s*(epochs?|steps?|s|min)")


@dataclass(frozen=True)
class Spec:
    """A name with options: `adam:weight_decay=0.01`. An option without a name, as in `kfold:5`, is stored under ""."""

    name: str
    options: dict[str, Value]

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Parse `name:option=value,option=value`. Raises SettingError."""
        name, _, rest = text.strip().partition(":")
        options: dict[str, Value] = {}
        for part in filter(None, rest.split(",")):
            key, equals, value = part.partition("=")
            if not equals:
                key, value = "", key
            if key.strip() in options:
                raise SettingError(f"option {key.strip()!r} is given twice in {text!r}: give it once")
            options[key.strip()] = literal(value.strip())
        if not name:
            raise SettingError(f"{text!r} has no name: write NAME or NAME:OPTION=VALUE,…")
        return cls(name.lower(), options)


@dataclass(frozen=True)
class Every:
    """How often something happens: every `count` epochs, steps or seconds (`unit`)."""

    count: float
    unit: Literal["epochs", "steps", "s"]

    @classmethod
    def parse(cls, text: str, *, what: str, time: bool = False) -> Every:
        """Parse `5epochs`, `500steps` and, with `time`, `30s` or `5min`.

        Raises SettingError, whose message begins with the option `what`.
        """
        found = EVERY.fullmatch(text.strip())
        units = "epochs, steps, s or min" if time else "epochs or steps"
        if not found or (found[2] in ("s", "min") and not time):
            raise SettingError(f"{what} {text!r} is not a number of {units}, as in 5epochs or 500steps")
        count, unit = float(found[1]), found[2]
        if not 0 < count <= MAX_EVERY:
            raise SettingError(f"{what} {text!r}: the number must be above 0 and at most {MAX_EVERY:,}")
        if unit in ("s", "min"):
            return cls(count * (60 if unit == "min" else 1), "s")
        if count < 1 or count != int(count):
            raise SettingError(f"{what} {text!r}: the number must be whole and at least 1")
        return cls(int(count), "epochs" if unit.startswith("epoch") else "steps")


def literal(text: str) -> Value:
    """Return the value of an option's text: a whole number, a number, true or false, None, or the text itself."""
    if text.lower() in ("true", "yes", "on"):
        return True
    if text.lower() in ("false", "no", "off"):
        return False
    if text.lower() in ("none", "null"):
        return None
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        # torch computes with 64 bits: a larger whole number is a float.
        if not isinstance(value, int) or abs(value) < 2**63:
            return value
    return text
