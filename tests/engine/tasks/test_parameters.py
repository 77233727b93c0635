"""A task's parameters as people write them: lists, none, choices, and typing errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from stoker.engine import Task
from stoker.engine.errors import ParameterError, TaskError
from stoker.engine.tasks import loading, parameters


def example(  # type: ignore[no-untyped-def]
    sizes: tuple[int, ...] = (8,),
    rates: list[float] | None = None,
    pair: tuple[int, str] = (1, "a"),
    most: int | None = 3,
    least: Optional[int] = 3,  # noqa: UP045 - the old way to write it
    kind: Literal["a", "b", 3] = "a",
    width: int = None,  # type: ignore[assignment] # noqa: RUF013 - as many write it
    count=3,
    rate=0.5,
    deep=False,
    name="x",
    loose=None,
) -> Task:
    """Never called."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"sizes": "1,2,3"}, (1, 2, 3)),
        ({"sizes": "64"}, (64,)),
        ({"sizes": "(1, 2)"}, (1, 2)),
        ({"sizes": "1,"}, (1,)),
        ({"sizes": ""}, ()),
        ({"sizes": [1, 2]}, (1, 2)),
        ({"rates": "0.1,1e-3"}, [0.1, 0.001]),
        ({"rates": "[0.1]"}, [0.1]),
        ({"rates": "none"}, None),
        ({"pair": "7,b"}, (7, "b")),
        ({"most": "none"}, None),
        ({"most": "None"}, None),
        ({"most": "5"}, 5),
        ({"least": "none"}, None),
        ({"width": "none"}, None),
        ({"width": None}, None),
        ({"width": "4"}, 4),
        ({"kind": "3"}, 3),
        ({"kind": "b"}, "b"),
        ({"count": "7"}, 7),
        ({"rate": "1"}, 1.0),
        ({"deep": "yes"}, True),
        ({"deep": "true"}, True),
        ({"name": "5"}, "5"),
        ({"name": "none"}, "none"),
        ({"loose": "5"}, "5"),
    ],
)
def test_texts_are_converted(given: dict[str, Any], value: Any) -> None:
    """The value is the same after it was stored in run.json."""
    (key,) = given
    converted = parameters.convert(example, given)
    assert converted[key] == value and type(converted[key]) is type(value)
    assert parameters.convert(example, json.loads(json.dumps(converted))) == converted


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kind": "c"}, "kind=c: choose a, b or 3"),
        ({"sizes": "1,x"}, r"sizes=1,x is not of type .*int.*as in sizes=1,2,3"),
        ({"count": "many"}, "count=many is not of type int"),
        ({"deep": "perhaps"}, "deep=perhaps is not of type bool"),
        ({"epochs": "3"}, "no parameter 'epochs': it is a setting, write --epochs 3"),
        ({"batch_size": "3"}, "write --batch-size 3"),
        ({"compile": "yes"}, "write --compile$"),
        ({"compile": "no"}, "write --no-compile$"),
        ({"size": "3"}, "no parameter 'size': did you mean sizes"),
        ({"epoch": "3"}, "no parameter 'epoch': did you mean --epochs 3"),
        ({"zzz": "3"}, "no parameter 'zzz'; it has sizes, rates"),
    ],
)
def test_an_error_says_what_to_write(given: dict[str, Any], named: str) -> None:
    """In one line."""
    with pytest.raises(ParameterError, match=named) as caught:
        parameters.convert(example, given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("def spirals() -> Task: ...\ndef helper(): ...", "name a function: sp.py:spirals$"),
        ("def a() -> 'Task': ...\ndef b() -> engine.Task: ...", "name a function: sp.py:a or sp.py:b$"),
        ("def a(): ...\ndef _b(): ...\ndef c(): ...", "name a function: sp.py:a or sp.py:c$"),
        ("x = 1", "name a function: sp.py:FUNCTION"),
        ("def (", "name a function: sp.py:FUNCTION"),
    ],
)
def test_a_file_without_a_function(code: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the functions that return a Task; the file is not imported."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sp.py").write_text(code)
    with pytest.raises(TaskError, match=named):
        loading.check_early("sp.py", {})
    with pytest.raises(TaskError, match=r"no file nowhere\.py"):
        loading.check_early("nowhere.py", {})


def located(folder: Path = Path("data"), other: Path | None = None, text: str = "a", more: list[Path] = []) -> Task:  # noqa: B006
    """Never called."""
    raise NotImplementedError


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may be resumed from another folder: defaults, annotated paths, and texts that begin as a path does."""
    monkeypatch.chdir(tmp_path)
    assert parameters.convert(located, {})["folder"] == tmp_path / "data"
    found = parameters.convert(located, {"folder": "x/y", "other": "../z", "text": "./w", "more": "a,b"})
    assert found["folder"] == tmp_path / "x" / "y" and found["text"] == str(tmp_path / "w")
    assert found["other"] == (tmp_path.parent / "z") or found["other"].resolve() == tmp_path.parent / "z"
    assert found["more"] == [tmp_path / "a", tmp_path / "b"]
    assert parameters.convert(located, {"text": "x/y"})["text"] == "x/y"
    monkeypatch.chdir("/")
    assert (
        parameters.convert(located, {name: str(value) for name, value in found.items() if name != "more"})["folder"]
        == tmp_path / "x" / "y"
    )
