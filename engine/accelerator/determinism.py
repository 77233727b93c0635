"""Deterministic algorithms on a GPU, without which a resumed run is not exact there.

torch's own page lists the operations: https://pytorch.org/docs/stable/notes/randomness.html
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

# cuBLAS reads it when it starts; of the two values that are deterministic the faster one.
CUBLAS = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
PATTERN = re.compile(
    r"(?P<operation>\S+) does not have a deterministic implementation"
    r"|(?P<attention>Flash|Memory Efficient) Attention defaults to a non-deterministic algorithm"
    r"|(?P<cublas>it uses CuBLAS)",
    re.IGNORECASE,
)
WARNINGS = r"(?s).*(deterministic implementation|non-deterministic algorithm|it uses CuBLAS)"


def prepare(device: torch.device) -> None:
    """Ask cuBLAS for a deterministic workspace; call it before anything is computed on a GPU."""
    if device.type == "cuda":
        os.environ.setdefault(*CUBLAS)


@contextlib.contextmanager
def deterministic(device: torch.device, wanted: bool, warn: Callable[[str], None]) -> Iterator[None]:
    """Use deterministic algorithms on a CUDA device during the block; elsewhere, or if not `wanted`, do nothing.

    An operation that has none is used all the same, and `warn` is called once with a sentence that names it.
    """
    if device.type != "cuda" or not wanted:
        yield
        return
    memory: Any = torch.utils.deterministic
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        memory.fill_uninitialized_memory,
        torch.backends.cudnn.benchmark,
        torch.is_warn_always_enabled(),
    )
    # Not the raising kind: many tasks need an operation that has no deterministic algorithm.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else torch writes all memory that it takes, which only costs time: the engine reads none unwritten.
    memory.fill_uninitialized_memory = False
    # A benchmark chooses the convolution that is fastest at the moment, another one after a resume.
    torch.backends.cudnn.benchmark = False
    # torch says some of its warnings once in a process, but each run must hear them.
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            # Once for each text and place: a step does not pay for a warning that was given.
            warnings.filterwarnings("default", message=WARNINGS)
            warnings.showwarning = _listener(warn, warnings.showwarning)
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        memory.fill_uninitialized_memory = before[2]
        torch.backends.cudnn.benchmark = before[3]
        torch.set_warn_always(before[4])


@contextlib.contextmanager
def _off() -> Iterator[None]:
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True, warn_only=True)


def paused(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Allow any algorithm during the block, for metrics: they count, and whole numbers add up in any order.

    torchmetrics' deterministic way builds samples × classes² numbers: 8 GB for 1,000 classes.
    """
    if device.type == "cuda" and torch.is_deterministic_algorithms_warn_only_enabled():
        return _off()
    return contextlib.nullcontext()


def flags(device: torch.device) -> dict[str, str]:
    """Return what decides the last bits on a CUDA device beside versions, as `environment` of a checkpoint records it."""
    if device.type != "cuda":
        return {}
    found = {
        "deterministic": "yes" if torch.are_deterministic_algorithms_enabled() else "no",
        "tf32_matmul": _precision(torch.backends.cuda.matmul),
        "tf32_cudnn": _precision(torch.backends.cudnn),
    }
    return {**found, "cudnn_benchmark": "yes" if torch.backends.cudnn.benchmark else "no"}


def _precision(backend: Any) -> str:
    """Return whether `backend` may round to TF32; its new flag where the old one refuses to answer beside it."""
    try:
        return "yes" if backend.allow_tf32 else "no"
    except RuntimeError:
        return "yes" if backend.fp32_precision == "tf32" else "no"


def _listener(warn: Callable[[str], None], otherwise: Callable[..., None]) -> Callable[..., None]:
    known: set[str] = set()

    def show(message: Warning | str, *details: Any, **more: Any) -> None:
        found = PATTERN.search(str(message))
        if found is None:
            otherwise(message, *details, **more)
            return
        name = operation_named(found)
        if name not in known:
            known.add(name)
            warn(f"{name} has no deterministic algorithm on this GPU: a resumed run may differ in the last bits.")

    return show


def operation_named(found: re.Match[str]) -> str:
    """Return the operation of a match of `PATTERN`, as in `index_add_cuda_` or `memory efficient attention`."""
    if found["operation"]:
        return f"`{found['operation']}`"
    return f"{found['attention'].lower()} attention" if found["attention"] else "a matrix product of cuBLAS"
