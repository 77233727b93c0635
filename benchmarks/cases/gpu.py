"""On a real GPU: exact resume, kernels and synchronisations of a step, memory, saves, MNIST and the dashboard's cost."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from ..harness.measure import REPOSITORY, MissingDeviceError

# Seconds that a part may take; together they end within nine minutes.
PARTS = {"exact": 160, "steps": 40, "release": 30, "save": 30, "several": 30, "mnist": 140, "dashboard": 110}


def main(arguments: list[str]) -> dict[str, Any]:
    """Return the figures of each part. Each runs in a process of its own: a failure is a figure, and stops no other."""
    parser = argparse.ArgumentParser(prog="gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to try the benchmark itself")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--quick", action="store_true", help="sizes so small that the figures mean nothing")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"device": _name(options.device)}
    for part in options.only or PARTS:
        print(f"{part} …", file=sys.stderr, flush=True)
        start = time.monotonic()
        measured = _measure(part, options.device, options.quick)
        figures[part] = {**measured, "took_seconds": round(time.monotonic() - start, 1)}
    return figures


def _name(device: str) -> str:
    """Return the device in words. Raises MissingDeviceError for a GPU that is not there."""
    import torch

    if not device.startswith("cuda"):
        return device
    if not torch.cuda.is_available():
        raise MissingDeviceError("torch finds no CUDA device on this machine, so nothing was measured")
    return f"{torch.cuda.get_device_name(device)}, {torch.cuda.device_count()} in this machine"


def _measure(part: str, device: str, quick: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.gpu", part, device, *(["quick"] if quick else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PARTS[part], check=False, cwd=REPOSITORY)
    except subprocess.TimeoutExpired:
        return {"failed": f"not ready after {PARTS[part]} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        print(done.stderr, file=sys.stderr)
        return {"failed": lines[-1] if lines else f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
