"""The settings of a script as `stoker.config`: a dict with attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Config(dict[str, Any]):
    """The script's settings, recorded in `run.json`: `config.lr` and `config["lr"]` are the same."""

    def __init__(self, values: Any, on_change: Callable[[], None]) -> None:
        """Hold `values`, a mapping or an object with attributes such as argparse's; `on_change` records a change."""
        super().__init__(as_dict(values))
        self.__dict__["_on_change"] = on_change

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"config has no {name!r}: it has {', '.join(self) or 'nothing'}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.__dict__["_on_change"]()

    def update(self, values: Any = (), /, **more: Any) -> None:
        """Add settings, or replace them."""
        more.pop("allow_val_change", None)
        super().update(as_dict(values), **more)
        self.__dict__["_on_change"]()

    def setdefaults(self, values: Any) -> None:
        """Add the settings that are not there yet."""
        self.update({name: value for name, value in as_dict(values).items() if name not in self})


def as_dict(values: Any) -> dict[str, Any]:
    """Return a mapping, or the attributes of an object, as a dict; nothing for None."""
    if values is None:
        return {}
    return dict(values) if isinstance(values, Mapping | list | tuple) else dict(vars(values))
