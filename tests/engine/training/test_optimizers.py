"""Optimizers by name and options."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from stoker.engine.errors import SettingError
from stoker.engine.training import optimizers


@pytest.mark.parametrize(
    ("text", "kind", "options"),
    [
        ("sgd", torch.optim.SGD, {"momentum": 0}),
        (
            "sgd:momentum=0.9,weight_decay=0.0005,nesterov=true",
            torch.optim.SGD,
            {"weight_decay": 5e-4, "nesterov": True},
        ),
        ("adafactor:eps=1e-30-1e-3", torch.optim.Adafactor, {"eps": (1e-30, 1e-3)}),
        ("adam:betas=0.8-0.95,eps=1e-6", torch.optim.Adam, {"betas": (0.8, 0.95), "eps": 1e-6}),
        ("AdamW:weight_decay=0.05,amsgrad=yes", torch.optim.AdamW, {"weight_decay": 0.05, "amsgrad": True}),
        ("rmsprop:alpha=0.9", torch.optim.RMSprop, {"alpha": 0.9}),
    ],
)
def test_an_optimizer_gets_its_options(text: str, kind: type, options: dict[str, Any]) -> None:
    """It also gets the run's learning rate."""
    made = optimizers.build_optimizer(text, nn.Linear(2, 2), 0.03)
    assert type(made) is kind
    assert {name: made.defaults[name] for name in options} == options
    assert made.param_groups[0]["lr"] == 0.03


@pytest.mark.parametrize("name", sorted(optimizers.OPTIMIZERS))
def test_every_optimizer_lowers_a_loss(name: str) -> None:
    """All of torch.optim that the loop can drive. The model has no bias, because Muon takes matrices alone."""
    torch.manual_seed(0)
    model = nn.Linear(3, 3, bias=False)
    made = optimizers.build_optimizer(name, model, 0.01)
    inputs = torch.randn(20, 3)
    losses = []
    for _ in range(20):
        loss = (model(inputs) - inputs).square().mean()
        made.zero_grad()
        loss.backward()
        made.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_frozen_parameters_are_not_trained() -> None:
    """The optimizer gets the parameters that require a gradient."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    made = optimizers.build_optimizer("adam", model, 0.1)
    assert [p.numel() for p in made.param_groups[0]["params"]] == [2, 1]
    model.requires_grad_(False)
    with pytest.raises(SettingError, match="no parameters"):
        optimizers.build_optimizer("adam", model, 0.1)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("adamm", "adamm"),
        ("lbfgs", "lbfgs"),
        ("sgd:speed=1", "speed"),
        ("sgd:momentum=-1", "momentum"),
        ("sgd:nesterov=true", "esterov"),
        ("adam:betas=0.9-2", "beta"),
        ("adam:betas=0.9", "betas must be several numbers, as in betas=0.9-0.999, not 0.9"),
        ("adam:betas=high", "betas must be several numbers, as in betas=0.9-0.999, not high"),
        ("sgd:momentum=lots", "momentum must be a number, not lots"),
        ("sgd:momentum=none", "momentum must be a number, not None"),
        ("sgd:nesterov=perhaps", "nesterov must be yes or no, not perhaps"),
        ("sgd:momentum=0.9-0.8", "momentum must be a number"),
    ],
)
def test_a_wrong_optimizer_is_refused(text: str, named: str) -> None:
    """In one line that names it."""
    with pytest.raises(SettingError, match=named) as caught:
        optimizers.build_optimizer(text, nn.Linear(2, 2), 0.1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["adam", "sgd:momentum=0.9", "adagrad", "rprop", "radam"])
def test_a_state_of_another_shape_is_refused(name: str) -> None:
    """It would fail in the first step. The error names the tensor and both shapes."""
    model = nn.Linear(3, 2)
    optimizer = optimizers.build_optimizer(name, model, 0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    saved = optimizer.state_dict()
    optimizers.load_state(optimizer, saved)
    entry = next(key for key, value in saved["state"][0].items() if isinstance(value, torch.Tensor) and value.dim())
    saved["state"][0][entry] = torch.zeros(5)
    with pytest.raises(ValueError, match=rf"`{entry}` of parameter 0 has the shape \(5,\), its parameter \(2, 3\)"):
        optimizers.load_state(optimizer, saved)
