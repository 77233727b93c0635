"""The memory of a device: what is free, what torch holds, and errors that say that there is too little."""

from __future__ import annotations

import contextlib
import gc

import torch

# cuBLAS, cuDNN, the driver and Metal raise other errors than torch.OutOfMemoryError.
SIGNS = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` says that a device has too little memory."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def empty_cache(device: torch.device) -> None:
    """Give back the memory that torch and cuBLAS keep for later use; memory of living tensors stays."""
    if device.type == "cuda":
        with contextlib.suppress(RuntimeError):  # after a failed assertion no call to CUDA works
            if (clear := getattr(torch._C, "_cuda_clearCublasWorkspaces", None)) is not None:  # a private function
                clear()
            torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def collect(device: torch.device) -> None:
    """Free the memory of trainers that are done. Only the collector frees their cycles, and it may not run for long."""
    gc.collect()
    empty_cache(device)


def reserved(device: torch.device) -> int:
    """Return the bytes that torch holds on `device`; 0 on the CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else 0


def free(device: torch.device) -> int | None:
    """Return the bytes that tensors may still take on a CUDA device; None on other devices, which do not tell."""
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
