"""Values that no machine can obey are refused with one sentence, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.engine.checkpoints import checksums
from stoker.engine.config.settings import Settings
from stoker.engine.config.specs import literal
from stoker.engine.errors import RunError, SettingError
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", 100_000),
        ("save_every", "0s"),
        ("save_every", "0.0min"),
        ("eval_every", "9" * 400 + "epochs"),
        ("save_every", "9" * 400 + "s"),
        ("device", "cuda:99999999999999999999"),
    ],
)
def test_setting_is_refused(name: str, value: object) -> None:
    """The message names the option."""
    with pytest.raises(SettingError, match="--" + name.replace("_", "-")):
        Settings.of({name: value})


@pytest.mark.parametrize("split", ["kfold:0", "bootstrap:0", "kfold:-3"])
def test_a_split_into_nothing_is_left_to_the_split_to_refuse(split: str) -> None:
    """It says which numbers are possible; the run counts one fold until then."""
    assert Settings(split=split).folds == 1


def test_whole_numbers_beyond_64_bits_are_floats() -> None:
    """Torch cannot compute with them."""
    assert literal("99999999999999999999") == 1e20
    assert isinstance(literal("99999999999999999999"), float)
    assert isinstance(literal("9"), int)


@pytest.mark.parametrize(
    ("name", "record"),
    [("\udcff", {}), ("a", {"parameters": {"x": "\udcff"}}), ("a", {"given": {"optimizer": "sgd:\udcff=3"}})],
)
def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path, name: str, record: dict[str, object]) -> None:
    """And the name stays free."""
    with pytest.raises(RunError, match="not valid UTF-8"):
        runs.create(tmp_path, "iris", name, record)
    assert not list(tmp_path.iterdir())


def test_name_stays_free_where_the_record_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the start."""

    def full(self: RunFolder, record: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "write_record", full)
    with pytest.raises(RunError, match="No space left on device"):
        runs.create(tmp_path, "iris", "one", {})
    assert not list(tmp_path.iterdir())


def test_checksum_of_an_impossible_name_is_ignored(tmp_path: Path) -> None:
    """It would make every save fail."""
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {'x' * 300}\n{'1' * 64}  latest.pt\n")
    assert checksums.read_entries(tmp_path) == [("1" * 64, "latest.pt")]
    checksums.record_pending(tmp_path, ["latest.pt"], "2" * 64)
