"""A checkpoint that is damaged in meaning, or made to fill the memory, is refused like one with damaged bytes."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError

STOPPING = {"monitor": "loss", "best": 1.0, "best_step": 0, "waited": 0}


def saved(step: int = 1) -> dict[str, Any]:
    """Return a state as a training saves it."""
    return {
        "format": 1,
        "model": {"weight": torch.ones(3, 3)},
        "optimizer": {
            "state": {0: {"momentum_buffer": torch.ones(3, 3)}},
            "param_groups": [{"lr": 0.1, "params": [0]}],
        },
        "scheduler": None,
        "scaler": None,
        "progress": {"epoch": 0, "batch": 1, "step": step, "samples": 4, "seconds": 0.1, "evaluated": 0, "fold": 0},
        "early_stopping": dict(STOPPING),
        "overfitting": {"evaluated": math.nan, "trained": math.nan, "rises": 0},
        "metrics": {"loss": 1.0},
        "train_loss": {"sum": 1.0, "count": 1},
        "settings": {"epochs": 3, "lr": 0.1, "threads": 1, "split": None, "compile": False},
        "environment": {"torch": "2.4", "threads": 1},
        "folds": [],
    }


def laughs(leaf: Any, depth: int = 40) -> Any:
    """Return a small structure that is enormous when it is copied or printed."""
    for _ in range(depth):
        leaf = [leaf] * 10
    return leaf


WRONG: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("progress.step", lambda state: state["progress"].update(step=-5)),
    ("progress.step", lambda state: state["progress"].update(step=1e30)),
    ("progress.step", lambda state: state["progress"].update(step="five")),
    ("progress.step", lambda state: state["progress"].update(step=2**64)),
    ("progress.seconds", lambda state: state["progress"].update(seconds=math.inf)),
    ("progress", lambda state: state.update(progress=[1, 2])),
    ("progress.batch", lambda state: state["progress"].update(batch=laughs("ha"))),
    ("settings", lambda state: state.update(settings=None)),
    ("settings", lambda state: state.update(settings={"epochs": laughs("ha")})),
    ("settings", lambda state: state.pop("settings")),
    ("early_stopping", lambda state: state.pop("early_stopping")),
    ("early_stopping", lambda state: state["early_stopping"].pop("best")),
    ("early_stopping.waited", lambda state: state["early_stopping"].update(waited=-1)),
    ("folds", lambda state: state.update(folds=[1])),
    ("folds", lambda state: state.update(folds=[{"loss": "low"}])),
    ("optimizer", lambda state: state.update(optimizer=[])),
    ("optimizer.param_groups", lambda state: state["optimizer"].update(param_groups={})),
    ("model", lambda state: state.update(model=[torch.ones(2)])),
    ("train_loss.count", lambda state: state["train_loss"].update(count=-2)),
    ("scheduler", lambda state: state.update(scheduler=5)),
    ("metrics", lambda state: state.update(metrics={"loss": torch.ones(2)})),
    ("model", lambda state: state.update(model=torch.zeros(0))),
    ("scaler", lambda state: state.update(scaler=torch.tensor(torch.nan))),
    ("progress", lambda state: state.update(progress=torch.ones(2))),
    ("", lambda state: state["optimizer"].update(state=torch.ones(2))),
    ("format", lambda state: state.update(format=-1)),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("field", "change"), WRONG, ids=[f"{n}-{field}" for n, (field, _) in enumerate(WRONG)])
def test_one_wrong_in_meaning_is_named_and_the_one_before_used(tmp_path: Path, field: str, change: Any) -> None:
    """Its bytes and its checksum are right."""
    checkpoint.write(tmp_path, ("latest.pt",), saved(1))
    state = saved(2)
    change(state)
    checkpoint.write(tmp_path, ("latest.pt",), state)
    with pytest.raises(CheckpointError, match=field):
        checkpoint.read(tmp_path / "latest.pt")
    found = checkpoint.newest(tmp_path)
    assert found is not None
    assert (found[0].name, found[1]["progress"]["step"], len(found[2])) == ("previous.pt", 1, 1)


def test_a_right_one_is_read_as_it_was_saved(tmp_path: Path) -> None:
    """Unknown fields too: they are of newer versions, or of the user."""
    state = {**saved(), "ema": {"weight": torch.zeros(2)}}
    checkpoint.write(tmp_path, ("latest.pt",), state)
    read = checkpoint.read(tmp_path / "latest.pt")
    assert list(read) == list(state)
    assert str(read) == str(state)


def test_optional_fields_get_their_defaults(tmp_path: Path) -> None:
    """A checkpoint that another program made has the needed ones alone."""
    state = {name: value for name, value in saved().items() if name in checkpoint.NEEDED}
    checkpoint.write(tmp_path, ("latest.pt",), state)
    read = checkpoint.read(tmp_path / "latest.pt")
    assert (read["folds"], read["metrics"], read["scheduler"]) == ([], {}, None)
    assert read["train_loss"] == {"sum": 0.0, "count": 0}


def test_a_zip_that_unpacks_to_more_than_it_is(tmp_path: Path) -> None:
    """3 GB of zeros in 3 MB are refused before they are unpacked."""
    path = tmp_path / "latest.pt"
    checkpoint.write(tmp_path, ("plain.pt",), saved())
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in plain.infolist():
            bomb.writestr(entry.filename, plain.read(entry))
        bomb.writestr("archive/data/9", b"\0" * 50_000_000)
    with pytest.raises(CheckpointError, match=r"would unpack from .* to 50,0"):
        checkpoint.read(path)


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (torch.empty(10**12, device="meta"), "without data"),
        (torch.zeros(1).expand(10**6, 10**6), "would take"),
        (torch.sparse_coo_tensor(torch.zeros(1, 0), torch.zeros(0), (10**14,)), "would take"),
    ],
    ids=["meta", "expanded", "sparse"],
)
def test_tensors_that_the_file_cannot_hold(tmp_path: Path, tensor: torch.Tensor, why: str) -> None:
    """They cost nothing in the file and terabytes once they are used."""
    state = saved()
    state["optimizer"]["state"][0]["momentum_buffer"] = tensor
    torch.save(state, tmp_path / "latest.pt")
    with pytest.raises(CheckpointError, match=why):
        checkpoint.read(tmp_path / "latest.pt")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("recorded", [False, True])
def test_a_sparse_file_and_what_is_no_file_are_refused_at_once(tmp_path: Path, recorded: bool) -> None:
    """Nothing is hashed that cannot be a checkpoint, and no pipe is waited for."""
    if recorded:
        checkpoint.write(tmp_path, ("latest.pt",), saved())
    path = tmp_path / "latest.pt"
    path.unlink(missing_ok=True)
    path.touch()
    os.truncate(path, 10**12)
    with pytest.raises(CheckpointError, match="not a checkpoint file"):
        checkpoint.read(path)
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path.name)):
        path.unlink()
        make(path)
        with pytest.raises(CheckpointError, match="cannot be read"):
            checkpoint.read(path)
        with pytest.raises(CheckpointError):
            checkpoint.newest(tmp_path)
