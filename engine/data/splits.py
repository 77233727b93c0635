"""Split data into training rows and evaluation rows: hold-out, K folds, bootstrap."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, Subset

from ..config.specs import Spec
from ..errors import SettingError
from .factory import in_memory

Part = tuple[np.ndarray, np.ndarray]
"""Rows to train on and rows to evaluate on; each (n,) of int64."""


def parts(text: str, size: int, targets: np.ndarray | None, seed: int) -> list[Part]:
    """Return the parts, one a fold, of `size` rows for a split such as `holdout:0.2`, `kfold:5` or `bootstrap:3`.

    The rows equal scikit-learn's for the same seed: `train_test_split`, `KFold` or `StratifiedKFold` with shuffle, and
    `resample` with seed + number of the draw, evaluated out of bag. With `targets` (size,) the split is stratified if
    each class has enough rows. Raises SettingError for an unknown or impossible split.
    """
    from sklearn import model_selection
    from sklearn.utils import resample

    spec = Spec.parse(text)
    options = dict(spec.options)
    amount = options.pop("", options.pop("size", None))
    stratify = options.pop("stratify", True)
    if not isinstance(stratify, bool):
        raise SettingError(f"--split {text!r}: stratify must be yes or no, not {stratify!r}")
    if options:
        raise SettingError(f"--split {text!r} has no option {', '.join(options)}: choose from size and stratify")
    if not size:
        raise SettingError("the data to split is empty")
    if targets is not None and len(targets) != size:
        raise SettingError(f"the data to split has {size} rows, its targets {len(targets)}")
    rows = np.arange(size)
    classes = targets if stratify and targets is not None else None
    if spec.name == "holdout":
        share = 0.2 if amount is None else amount
        if not isinstance(share, float) or not 0 < share < 1:
            raise SettingError(
                f"--split {text!r}: the part held out must be a number between 0 and 1, as in holdout:0.2"
            )
        if classes is not None and not _fits(classes, 2, round(size * share), round(size * (1 - share))):
            classes = None
        try:
            train, test = model_selection.train_test_split(rows, test_size=share, random_state=seed, stratify=classes)
        except ValueError as error:
            raise SettingError(
                f"--split {text!r} leaves nothing to train on, or nothing to evaluate on, of {size} rows: choose another share"
            ) from error
        return [(train, test)]
    least = 2 if spec.name == "kfold" else 1
    count = amount if amount is not None else 5
    if spec.name not in ("kfold", "bootstrap"):
        raise SettingError(f"there is no split {spec.name!r}: choose from none, holdout:0.2, kfold:5 and bootstrap:3")
    if not isinstance(count, int) or isinstance(count, bool) or not least <= count <= size:
        raise SettingError(f"--split {text!r}: the number must be whole, from {least} to {size}")
    if spec.name == "kfold":
        if classes is not None and _fits(classes, count):
            folds = model_selection.StratifiedKFold(count, shuffle=True, random_state=seed).split(rows, classes)
        else:
            folds = model_selection.KFold(count, shuffle=True, random_state=seed).split(rows)
        return [(train, test) for train, test in folds]
    drawn = [
        resample(rows, replace=True, random_state=(seed + number) % 2**32, stratify=classes) for number in range(count)
    ]
    found = [(np.asarray(bag), np.setdiff1d(rows, bag)) for bag in drawn]
    if any(len(out) == 0 for _, out in found):
        raise SettingError(f"--split {text!r} leaves nothing out of the bag to evaluate on: {size} rows are too few")
    return found


def divide(data: Any, part: Part) -> tuple[Any, Any]:
    """Return the two parts of tensors in memory, or of a map-style dataset as Subsets.

    Raises SettingError for data that cannot be indexed.
    """
    tensors = in_memory(data)
    if tensors is not None:
        indices = [torch.from_numpy(rows) for rows in part]
        train, test = (tuple(tensor[rows] for tensor in tensors) for rows in indices)
        return train, test
    try:
        len(data)
        data[int(part[0][0])]
    except (TypeError, NotImplementedError) as error:
        raise SettingError(f"--split needs data that can be indexed, and {type(data).__name__} cannot be") from error
    return Subset(data, part[0].tolist()), Subset(data, part[1].tolist())


def indexable(data: Any) -> bool:
    """Return whether data has a length and rows that can be indexed."""
    if in_memory(data) is not None:
        return True
    return not isinstance(data, IterableDataset) and hasattr(data, "__len__") and hasattr(data, "__getitem__")


def rows_of(data: Any) -> int:
    """Return the number of rows. Raises SettingError for data without a length."""
    tensors = in_memory(data)
    try:
        return len(tensors[0] if tensors is not None else data)
    except TypeError as error:
        raise SettingError(f"--split needs data with a length, and {type(data).__name__} has none") from error


def targets_of(data: Any) -> np.ndarray | None:
    """Return the classes (N,) to stratify by; None if the data shows no whole-number targets.

    They are the last tensor in memory, or the dataset's attribute `targets`.
    """
    tensors = in_memory(data)
    found = tensors[-1] if tensors is not None else getattr(data, "targets", None)
    if found is None:
        return None
    targets = np.asarray(found)
    return targets if targets.ndim == 1 and targets.dtype.kind in "iub" else None


def _fits(classes: np.ndarray, each: int, *sizes: int) -> bool:
    """Return whether every class has `each` rows, and every part of `sizes` has room for every class."""
    counts = Counter(classes.tolist())
    return min(counts.values()) >= each and all(size >= len(counts) for size in sizes)
