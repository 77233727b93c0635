"""Splits against those of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils import resample
from torch.utils.data import IterableDataset, TensorDataset

from stoker.engine.data import splits
from stoker.engine.errors import SettingError

SPECIES = load_iris().target
ROWS = np.arange(150)


def same(found: list[splits.Part], wanted: list[splits.Part]) -> bool:
    """Return whether two lists of parts hold the same rows in the same order."""
    return len(found) == len(wanted) and all(
        np.array_equal(a, b) for one, two in zip(found, wanted, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_folds_equal_scikit_learns() -> None:
    """Stratified if there are classes, else plain, with the run's seed."""
    stratified = StratifiedKFold(5, shuffle=True, random_state=7).split(ROWS, SPECIES)
    assert same(splits.parts("kfold:5", 150, SPECIES, 7), list(stratified))
    plain = list(KFold(5, shuffle=True, random_state=7).split(ROWS))
    assert same(splits.parts("kfold:5", 150, None, 7), plain)
    assert same(splits.parts("kfold:5,stratify=no", 150, SPECIES, 7), plain)
    assert same(splits.parts("kfold:size=5", 150, None, 7), plain)


def test_a_hold_out_equals_train_test_split() -> None:
    """The same rows in the same order, stratified or not."""
    train, test = train_test_split(ROWS, test_size=0.2, random_state=3, stratify=SPECIES)
    assert same(splits.parts("holdout:0.2", 150, SPECIES, 3), [(train, test)])
    train, test = train_test_split(ROWS, test_size=0.3, random_state=3)
    assert same(splits.parts("holdout:0.3,stratify=no", 150, SPECIES, 3), [(train, test)])


def test_a_bootstrap_equals_resample() -> None:
    """Drawn with replacement by seed + number; evaluated on the rows that were not drawn."""
    found = splits.parts("bootstrap:3", 150, SPECIES, 5)
    for number, (bag, out) in enumerate(found):
        wanted = resample(ROWS, replace=True, random_state=5 + number, stratify=SPECIES)
        assert np.array_equal(bag, wanted)
        assert set(bag) | set(out) == set(ROWS)
        assert not set(bag) & set(out)
    assert len(found) == 3


@given(st.integers(2, 6), st.integers(0, 100), st.lists(st.integers(0, 3), min_size=12, max_size=60))
def test_every_row_is_held_out_once(count: int, seed: int, classes: list[int]) -> None:
    """For any classes; a class with too few rows is no error."""
    found = splits.parts(f"kfold:{count}", len(classes), np.array(classes), seed)
    assert sorted(np.concatenate([out for _, out in found])) == list(range(len(classes)))
    assert all(not set(train) & set(out) for train, out in found)


@pytest.mark.parametrize(
    ("text", "rows", "named"),
    [
        ("kfold:1", 150, "from 2 to 150"),
        ("kfold:151", 150, "from 2 to 150"),
        ("kfold:2.5", 150, "whole"),
        ("bootstrap:0", 150, "from 1"),
        ("holdout:1.5", 150, "between 0 and 1"),
        ("holdout:5", 150, "between 0 and 1"),
        ("holdout:0.999", 150, "leaves nothing"),
        ("kfold:5,shuffle=no", 150, "shuffle"),
        ("kfold:5,stratify=perhaps", 150, "perhaps"),
        ("leave-one-out", 150, "leave-one-out"),
        ("bootstrap:9", 1, "out of the bag|from 1"),
    ],
)
def test_an_impossible_split_is_refused(text: str, rows: int, named: str) -> None:
    """In one line that says what would be possible."""
    with pytest.raises(SettingError, match=named) as caught:
        splits.parts(text, rows, None, 0)
    assert "\n" not in str(caught.value)


class Endless(IterableDataset[int]):
    """A stream without a length."""

    def __iter__(self) -> Iterator[int]:
        return iter(())


class ByRow:
    """A map-style dataset with the attribute `targets`."""

    targets = [0, 1, 0, 1]

    def __len__(self) -> int:
        return 4

    def __getitem__(self, row: int) -> int:
        return row * 10


def test_data_is_divided_by_rows() -> None:
    """Tensors give tensors, a dataset gives subsets; both in the order of the rows."""
    part = (np.array([3, 1]), np.array([0, 2]))
    for tensors in ((torch.arange(4) * 10, torch.arange(4)), TensorDataset(torch.arange(4) * 10, torch.arange(4))):
        train, out = splits.divide(tensors, part)
        assert [column.tolist() for column in train] == [[30, 10], [3, 1]]
        assert out[0].tolist() == [0, 20]
    train, out = splits.divide(ByRow(), part)
    assert [*train] == [30, 10]
    assert [*out] == [0, 20]


def test_targets_are_found_in_tensors_and_datasets() -> None:
    """Whole numbers are classes; real numbers are not."""
    assert splits.targets_of((torch.zeros(3, 2), torch.tensor([1, 0, 1]))).tolist() == [1, 0, 1]  # type: ignore[union-attr]
    assert splits.targets_of((torch.zeros(3, 2), torch.zeros(3))) is None
    assert splits.targets_of(ByRow()).tolist() == [0, 1, 0, 1]  # type: ignore[union-attr]
    assert splits.targets_of(object()) is None


def test_data_without_a_length_cannot_be_split() -> None:
    """The error names the type of the data."""
    with pytest.raises(SettingError, match="Endless has none"):
        splits.rows_of(Endless())
    with pytest.raises(SettingError, match="Endless cannot be"):
        splits.divide(Endless(), (np.array([0]), np.array([1])))
