"""Differences between a checkpoint and the run that continues from it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from stoker.engine.checkpoints.compatibility import environment_changes, file_changes, load_model, settings_changes
from stoker.engine.errors import CheckpointError


def test_another_version_of_stoker_alone_is_no_change_of_the_environment() -> None:
    """The checkpoint's format says whether it can be read; older checkpoints lack the key."""
    assert environment_changes({"stoker": "0.0.1", "torch": "2.14"}, {"stoker": "0.1.0", "torch": "2.14"}) == []
    assert environment_changes({"torch": "2.14"}, {"stoker": "0.1.0", "torch": "2.14"}) == []
    changes = environment_changes({"stoker": "0.0.1", "torch": "2.13"}, {"stoker": "0.1.0", "torch": "2.14"})
    assert changes == ["torch 2.13 → 2.14"]


def test_settings_that_only_one_side_has_are_no_change() -> None:
    """A setting that only the newer version has does not count as changed."""
    assert settings_changes({"lr": 0.1, "old": 1}, {"lr": 0.2, "new": 2}, ["lr", "old", "new"]) == ["lr 0.1 → 0.2"]


def test_files_are_named_as_new_gone_or_changed() -> None:
    """The checksums alone decide."""
    assert file_changes({"a": "1", "b": "2"}, {"b": "3", "c": "4"}) == ["c is new", "a is gone", "b has changed"]


def test_another_model_is_refused_with_the_names_that_differ() -> None:
    """At most six of them, and the model stays as it was."""
    model = nn.Linear(2, 1)
    before = model.weight.detach().clone()
    with pytest.raises(CheckpointError, match=r"bias is missing; extra is not in the model; weight is \(3, 1\)"):
        load_model(model, {"weight": torch.zeros(3, 1), "extra": torch.zeros(1)})
    assert torch.equal(model.weight, before)
    with pytest.raises(CheckpointError, match="and 4 more"):
        load_model(nn.Sequential(*(nn.Linear(1, 1) for _ in range(5))), {})
