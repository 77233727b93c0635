"""Runs that are stopped and resumed in a new process, compared bit for bit with runs that are not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stoker.engine.runs.commands import Command
from stoker.engine.runs.folder import RunFolder

from ..harness.measure import REPOSITORY
from .options import Options
from .trained import Script, Trained, create

STOP = Command(command="stop")
RELEASE = Command(command="pause", release=True)
CUTS = (7, 21)  # batches after which a run is stopped: inside the first and inside the second epoch of 16
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "convolution": ("convolution", {}),
    "attention": ("attention", {}),
    "channels-last": ("convolution", {"channels_last": True}),
    "momentum": ("convolution", {"optimizer": "sgd:momentum=0.9", "accumulate": 2, "clip": 1.0}),
    "folds": ("convolution", {"split": "kfold:2"}),
    "release": ("convolution", {}),
    "NaN with batch norm": ("poisoned", {}),
    "compile": ("convolution", {"compile": True}),
}
QUICK = ("attention", "release", "NaN with batch norm")


def exact(options: Options) -> dict[str, Any]:
    """Return for each case and precision whether the resumed runs had the same bits."""
    with tempfile.TemporaryDirectory() as where:
        cuts = CUTS[:1] if options.quick else CUTS
        cases = {}
        for case, precision in _matrix(options):
            name = f"{case} {precision}"
            try:
                cases[name] = _train(Path(where), case, precision, options, cuts)
            except Exception as error:  # the other cases are measured all the same
                cases[name] = f"failed: {type(error).__name__}: {error}"
        command = [sys.executable, "-m", "benchmarks.gpu", "resume", where]
        resumed = json.loads(subprocess.check_output(command, text=True, cwd=REPOSITORY).splitlines()[-1])
        return {name: resumed.get(name, outcome) for name, outcome in cases.items()}


def resume(where: Path) -> dict[str, str]:
    """Resume the stopped runs in the folder `where`, and return for each whole run how they compare with it."""
    found = {}
    for path in sorted(where.glob("*-whole")):
        name = (path / "name").read_text()
        cut = sorted(where.glob(f"{path.name.removesuffix('-whole')}-cut-*"))
        try:
            found[name] = "; ".join(dict.fromkeys(_compare(RunFolder(path), RunFolder(other)) for other in cut))
        except Exception as error:  # the other runs are compared all the same
            found[name] = f"failed: {type(error).__name__}: {error}"
    return found


def _matrix(options: Options) -> list[tuple[str, str]]:
    cases = QUICK if options.quick else tuple(CASES)
    precisions = ("fp32",) if options.quick else ("fp32", "bf16", "fp16")
    # Compiling takes half a minute.
    return [(case, precision) for case in cases for precision in precisions if case != "compile" or precision == "fp32"]


def _train(where: Path, case: str, precision: str, options: Options, cuts: tuple[int, ...]) -> str:
    """Train a case once as a whole, and once for each of `cuts` up to that batch; return what went wrong."""
    task, settings = CASES[case]
    given = {"device": options.device, "precision": precision, "threads": 1, **settings}
    stem = f"{case}-{precision}".replace(" ", "-").lower()
    at_4: dict[int, Any] = {4: RELEASE} if case == "release" else {}
    for name, actions in [("whole", {}), *((f"cut-{cut}", {**at_4, cut: STOP}) for cut in cuts)]:
        done = Trained(create(where, task, f"{stem}-{name}", {"rows": 512}, given), Script(actions))
        (done.folder.path / "name").write_text(f"{case} {precision}")
        if done.finished.cause != ("completed" if name == "whole" else "stopped"):
            return f"failed: {done.finished.message}"
    return "not resumed"


def _compare(whole: RunFolder, cut: RunFolder) -> str:
    done = Trained(cut)
    if done.finished.cause != "completed":
        return f"failed: {done.finished.message}"
    reference = torch.load(whole.checkpoints / "latest.pt", weights_only=True)
    where = different({k: reference[k] for k in ("model", "optimizer")}, done.state())
    if not where:
        return "same bits"
    warned = f", as warned: {done.inexact[0]}" if done.inexact else " without a warning"
    return f"OTHER BITS in {len(where)} tensors{warned}"


def different(one: Any, other: Any, where: str = "") -> list[str]:
    """Return the places where two states differ in a bit of a tensor; NaN equals NaN."""
    if isinstance(one, Tensor):
        same = one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())
        return [] if same else [where]
    if isinstance(one, dict):
        return [place for key in one for place in different(one[key], other[key], f"{where}.{key}")]
    return []
