"""Kernels and synchronisations of a step, counted by torch.profiler: of the engine, and of a bare loop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from stoker.engine.devices import autocast

from .options import Options
from .tasks import convolution
from .trained import Script, Trained, create

STEPS = 5  # that are counted, one after another
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")  # calls in which the host waits
CASES: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw"},
    "sgd with momentum": {"optimizer": "sgd:momentum=0.9"},
    "adamw bf16": {"optimizer": "adamw", "precision": "bf16"},
    "adamw fp16": {"optimizer": "adamw", "precision": "fp16"},
}


def steps(options: Options) -> dict[str, Any]:
    """Return operations and synchronisations of a step, for several optimizers and precisions."""
    cases = dict(list(CASES.items())[: 1 if options.quick else None])
    found: dict[str, Any] = {"bare adamw": _bare(options)}
    for name, given in cases.items():
        found[name] = _engine(options, given)
    return found


def _engine(options: Options, given: dict[str, Any]) -> dict[str, float]:
    profiler = _profiler(options)
    actions: dict[int, Any] = {6: profiler.start, 6 + STEPS: profiler.stop}
    with tempfile.TemporaryDirectory() as where:
        settings = {"device": options.device, "threads": 1, "epochs": 1, **given}
        done = Trained(create(Path(where), "convolution", None, {}, settings), Script(actions))
    assert done.finished.cause == "completed", done.finished.message
    return _counts(profiler, options)


def _bare(options: Options) -> dict[str, float]:
    device, task = torch.device(options.device), convolution()
    inputs, targets = (part.to(device) for part in task.train)
    model, criterion = task.model.to(device), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, fused=True)
    profiler = _profiler(options)
    for number in range(6 + STEPS):
        if number == 6:
            profiler.start()
        rows = slice(32 * (number % 16), 32 * (number % 16) + 32)
        optimizer.zero_grad()
        with autocast(device, "fp32"):
            loss = criterion(model(inputs[rows]), targets[rows])
        loss.backward()
        optimizer.step()
    profiler.stop()
    return _counts(profiler, options)


def _profiler(options: Options) -> Any:
    on_cuda = [ProfilerActivity.CUDA] if options.device.startswith("cuda") else []
    return profile(activities=[ProfilerActivity.CPU, *on_cuda])


def _counts(profiler: Any, options: Options) -> dict[str, float]:
    events = profiler.events()
    if options.device.startswith("cuda"):
        waits = sum(event.name in WAITS for event in events)
        operations = sum(event.device_type.name == "CUDA" for event in events)
    else:
        waits = sum(event.name == "aten::item" for event in events)
        operations = sum(event.name.startswith("aten::") and event.cpu_parent is None for event in events)
    return {"operations": round(operations / STEPS, 1), "synchronisations": round(waits / STEPS, 1)}


def several(options: Options) -> dict[str, Any]:
    """Return what a run on the second GPU leaves on the first, and which one `auto` takes."""
    count = torch.cuda.device_count()
    if count < 2:
        return {"gpus": count}
    with tempfile.TemporaryDirectory() as where:
        given = {"device": "cuda:1", "threads": 1}
        done = Trained(create(Path(where), "convolution", "second", {}, given))
        left = torch.cuda.memory_reserved(0)
        chosen = Trained(create(Path(where), "convolution", "auto", {}, {**given, "device": "auto"}))
    notes = [str(getattr(event, "message", "")) for event in chosen.events]
    return {
        "gpus": count,
        "end_on_the_second": done.finished.cause,
        "bytes_on_the_first": left,
        "auto": next((note for note in notes if " was chosen: " in note), "said nothing"),
    }
