"""A run goes on, or is evaluated, on another device than it was started on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stoker.engine import api
from stoker.engine.errors import RequestError
from stoker.engine.runs import folder as runs
from stoker.engine.runs.events import RunStarted
from stoker.engine.runs.folder import RunFolder
from stoker.engine.session import train as train_folder
from stoker.tui.cli.report import evaluate
from stoker.tui.cli.train import resume
from tests.support import process_runner
from tests.support.in_process import StopAt


def stopped(path: Path) -> RunFolder:
    """Return a run of the CPU that was stopped, with a record that names a GPU that is not here."""
    folder = process_runner.create(path, "held", name="one", device="cpu")
    train_folder(folder, StopAt(5), lambda event: None)
    record = folder.record()
    record.given["device"] = "cuda:1"
    folder.write_record(record)
    return folder


def invoke(command: Any, *arguments: str) -> Any:
    """Run a command of the command line in this process."""
    return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=True)


def test_resume_takes_another_device(tmp_path: Path) -> None:
    """`stoker resume --device cpu` goes on where the GPU of the run is missing, and records the device."""
    folder = stopped(tmp_path)
    refused = invoke(resume, "one", "--runs", str(tmp_path), "--headless")
    assert isinstance(refused.exception, RequestError) and "--device cpu" in str(refused.exception)
    done = invoke(resume, "one", "--runs", str(tmp_path), "--headless", "--device", "cpu")
    assert done.return_value == 0, done.output
    assert folder.record().given["device"] == "cpu"
    last = [event for event in folder.last_events() if isinstance(event, RunStarted)]
    assert not last or last[-1].device.startswith("cpu")


def test_refused_device_leaves_the_record(tmp_path: Path) -> None:
    """A device that is not here is refused, and the run keeps the one that it had."""
    folder = stopped(tmp_path)
    for device in ("cuda:7", "gpu"):
        assert isinstance(invoke(resume, "one", "--runs", str(tmp_path), "--device", device).exception, RequestError)
        assert folder.record().given["device"] == "cuda:1"


def test_evaluate_takes_another_device(tmp_path: Path) -> None:
    """`stoker evaluate --device cpu` evaluates where the GPU of the run is missing, and changes no record."""
    folder = stopped(tmp_path)
    assert isinstance(invoke(evaluate, "one", "--runs", str(tmp_path)).exception, RequestError)
    done = invoke(evaluate, "one", "--runs", str(tmp_path), "--json", "--device", "cpu")
    assert json.loads(done.output)["metrics"] == api.evaluate(folder, device="cpu")["metrics"]
    assert folder.record().given["device"] == "cuda:1"


def test_resume_of_the_api_takes_another_device(tmp_path: Path) -> None:
    """`stoker.resume(…, device="cpu")` does the same."""
    folder = stopped(tmp_path)
    with pytest.raises(RequestError, match="no CUDA device"):
        api.resume(folder)
    assert api.resume(folder, device="cpu").record().given["device"] == "cpu"
    assert runs.find_run(tmp_path, "one").record().settings["device"] == "cpu"
