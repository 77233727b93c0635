"""Settings, checked when they are created."""

from __future__ import annotations

from typing import Any

import pytest

from stoker.engine.config.describe import describe_settings
from stoker.engine.config.settings import Settings
from stoker.engine.errors import SettingError


def test_later_layers_win_and_texts_are_converted() -> None:
    """The command line gives texts, the task gives values."""
    settings = Settings.of({"epochs": 5, "lr": 0.1}, {"epochs": "7", "batch_size": None, "channels_last": True})
    assert (settings.epochs, settings.lr, settings.batch_size, settings.channels_last) == (7, 0.1, None, True)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"epochs": "0"}, "--epochs"),
        ({"epochs": "many"}, "--epochs"),
        ({"lr": "-1"}, "--lr"),
        ({"lr": "nan"}, "--lr"),
        ({"batch_size": 0}, "--batch-size"),
        ({"device": "gpu"}, "--device"),
        ({"precision": "fp8"}, "--precision must be fp32, bf16 or fp16, not 'fp8'"),
        ({"on_nan": "cry"}, "--on-nan must be pause, stop or ignore, not 'cry'"),
        ({"eval_every": "5"}, "--eval-every"),
        ({"eval_every": "5min"}, "--eval-every"),
        ({"eval_every": "1.5epochs"}, "--eval-every"),
        ({"save_every": "often"}, "--save-every"),
        ({"clip": 0}, "--clip"),
        ({"workers": -1}, "--workers"),
        ({"label_smoothing": 1}, "--label-smoothing"),
        ({"scheduler": "step:gamma=1,gamma=2"}, "gamma"),
        ({"learning_rate": 1}, "learning_rate"),
    ],
)
def test_a_wrong_value_is_named(given: dict[str, Any], named: str) -> None:
    """In one line, with the option as on the command line."""
    with pytest.raises(SettingError, match=named) as caught:
        Settings.of(given)
    assert "\n" not in str(caught.value)


def test_settings_come_back_from_plain_data() -> None:
    """As stored in run.json and in checkpoints."""
    settings = Settings.of({"save_every": "5min", "patience": 3, "clip": "1.5"})
    assert Settings.of(settings.asdict()) == settings


def test_every_setting_is_described() -> None:
    """The documentation is made from the fields: each has a help text that ends its sentence or gives examples."""
    rows = {row.name: row for row in describe_settings()}
    assert list(rows) == list(Settings().asdict())
    assert all(len(row.help) > 20 for row in rows.values())
    assert rows["batch_size"][1:4] == ("--batch-size N", "whole number, or none", "32")
    assert rows["on_nan"][1:4] == ("--on-nan POLICY", "pause, stop or ignore", "pause")
    assert rows["compile"][1:4] == ("--compile / --no-compile", "yes or no", "no")
