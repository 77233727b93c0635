"""The export of a checkpoint's model: the content of each kind of file, and the messages."""

from __future__ import annotations

import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stoker.engine.errors import RequestError
from stoker.engine.evaluation import checkpoint_evaluation as results
from stoker.engine.export.weights import export
from stoker.engine.runs.folder import RunFolder
from tests.support.in_process import Run, create
from tests.support.paths import SUPPORT

TASKS = SUPPORT / "tasks_for_tests.py"
KINDS = ["weights.safetensors", "weights.pt", "model.pt"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose model has dropout, and some hundred kilobytes of parameters."""
    made = create(tmp_path_factory.mktemp("weights"), f"{TASKS}:held", {"hidden": 20_000}, epochs=1)
    Run(made)
    return made


@pytest.fixture
def limited() -> Iterator[None]:
    """No file may grow beyond a hundred kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", KINDS)
def test_the_former_file_outlives_a_failure(run_folder: RunFolder, tmp_path: Path, name: str, limited: None) -> None:
    """The system's own reason is raised, and no partial file is left."""
    (tmp_path / name).write_bytes(b"good")
    with pytest.raises(OSError, match="File too large"):
        export(run_folder, None, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"good"


def test_every_kind_is_a_file_like_any_other(run_folder: RunFolder, tmp_path: Path) -> None:
    """Its mode follows the umask."""
    (tmp_path / "other").touch()
    for name in KINDS:
        export(run_folder, None, tmp_path / name)
    assert len({stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("name", ["model_weights.pt", "models.pt", "best.pt"])
def test_only_model_pt_is_the_whole_model(run_folder: RunFolder, tmp_path: Path, name: str) -> None:
    """A file of any other name can be read with `weights_only=True`."""
    assert "parameters alone" in export(run_folder, None, tmp_path / name)
    assert isinstance(torch.load(tmp_path / name, weights_only=True), dict)


def test_the_whole_model_is_ready_to_be_used(run_folder: RunFolder, tmp_path: Path) -> None:
    """Dropout is off, and batch norm does not learn."""
    assert "the whole model" in export(run_folder, None, tmp_path / "model.pt")
    model = torch.load(tmp_path / "model.pt", weights_only=False)
    assert not any(module.training for module in model.modules())


def test_tied_parameters_are_written_each(
    tmp_path: Path, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters that are views of another one are written too."""
    one = torch.arange(6.0).reshape(2, 3)
    weights = {"one": one, "same": one, "turned": one.T, "row": one[1]}
    monkeypatch.setattr("stoker.engine.checkpoints.files.read", lambda path: {"model": weights})
    export(run_folder, None, tmp_path / "tied.safetensors")
    found = load_file(tmp_path / "tied.safetensors")
    assert all(torch.equal(found[name], weights[name]) for name in weights)


@pytest.mark.parametrize("name", KINDS[::2])
def test_what_a_format_cannot_hold_is_one_line(
    tmp_path: Path, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The error names the formats that can hold the model."""
    monkeypatch.setattr(
        "stoker.engine.export.weights.load_model", lambda model, weights: setattr(model, "odd", lambda: 0)
    )
    monkeypatch.setattr("stoker.engine.checkpoints.files.read", lambda path: {"model": {"odd": "text"}})
    with pytest.raises(RequestError, match=r"weights\.pt") as caught:
        export(run_folder, None, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_without_a_best_the_latest_is_measured_and_exported(run_folder: RunFolder, tmp_path: Path) -> None:
    """Before the first evaluation there is no best checkpoint; the output names the one that was used."""
    assert results.evaluate(run_folder)["checkpoint"] == "best.pt"
    (run_folder.checkpoints / "best.pt").rename(tmp_path / "best.pt")
    try:
        assert results.evaluate(run_folder)["checkpoint"] == "latest.pt"
        assert "latest.pt" in export(run_folder, None, tmp_path / "weights.pt")
        with pytest.raises(RequestError, match="no checkpoint 'best'"):
            results.evaluate(run_folder, "best")
    finally:
        (tmp_path / "best.pt").rename(run_folder.checkpoints / "best.pt")
