"""Users' projects of different shapes, from their files to the end of a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from stoker.engine.errors import RequestError, SettingError, TaskError
from stoker.engine.evaluation import checkpoint_evaluation as results
from stoker.engine.runs.events import Evaluated, RunStarted, Steps
from tests.support.in_process import Run, create, run
from tests.support.paths import PROJECTS

TASKS = ["single/spirals.py:spirals", "package/arithmetic/train.py:adding", "words/shouting.py:shouting"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the projects that a test may change."""
    return Path(shutil.copytree(PROJECTS, tmp_path / "projects", ignore=shutil.ignore_patterns("__pycache__")))


def test_single_file_task_learns(tmp_path: Path) -> None:
    """Parameters are converted from text, and the run can be evaluated afterwards."""
    done = run(tmp_path, f"{PROJECTS}/single/spirals.py:spirals", {"hidden": "24", "noise": "0.01"})
    assert done.folder.record().parameters == {"hidden": 24, "noise": 0.01, "fail": False}
    assert done.finished.cause == "completed"
    assert done.finished.test["accuracy"] > 0.9
    found = results.evaluate(done.folder, "latest")
    assert found["metrics"]["accuracy"] == done.finished.test["accuracy"]
    assert sum(map(sum, found["confusion"])) == 100


def test_package_with_a_module_named_engine_trains(tmp_path: Path) -> None:
    """The user's `engine` and `utils` are imported, relatively, with several inputs, losses and parameter groups."""
    done = run(tmp_path, f"{PROJECTS}/package/arithmetic/train.py:adding")
    evaluated = [event.metrics["mae"] for event in done.of(Evaluated)]
    assert evaluated[-1] < evaluated[0] / 2
    assert len(done.of(Steps)[0].lr) == 3
    assert set(done.folder.record().sources) == {
        f"arithmetic/{name}.py" for name in ("__init__", "engine", "train", "utils")
    }


def test_folder_without_init_may_import_relatively(project: Path, tmp_path: Path) -> None:
    """Relative imports work as with `python -m`."""
    (project / "package" / "arithmetic" / "__init__.py").unlink()
    done = run(tmp_path, f"{project}/package/arithmetic/train.py:adding", epochs=1)
    assert done.finished.cause == "completed"


def test_module_name_is_found_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`module:function` is found from the current folder."""
    monkeypatch.chdir(PROJECTS / "package")
    assert run(tmp_path, "arithmetic.train:adding", epochs=1).finished.cause == "completed"


def test_stream_of_texts_with_a_collate_function_trains(tmp_path: Path) -> None:
    """A stream without a length trains, without workers and with them."""
    task = f"{PROJECTS}/words/shouting.py:shouting"
    done = run(tmp_path, task)
    assert done.of(RunStarted)[0].steps_per_epoch is None
    assert done.finished.test["accuracy"] > 0.9
    assert [event.step for event in done.of(Evaluated)] == [12, 24, 36, 48]
    assert not done.warnings("inexact")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("accumulate", [1, 3])
def test_project_stopped_inside_an_epoch_resumes_to_the_same_end(task: str, accumulate: int, tmp_path: Path) -> None:
    """A stream that saves its position resumes exactly, also inside an accumulation window."""
    straight = run(tmp_path, f"{PROJECTS}/{task}", epochs=3, accumulate=accumulate)
    folder = create(tmp_path, f"{PROJECTS}/{task}", epochs=3, accumulate=accumulate)
    stopped = Run(folder, stop_at=11)
    assert stopped.finished.cause == "stopped"
    resumed = Run(folder)
    assert not resumed.warnings("inexact")
    assert resumed.finished.test == straight.finished.test


def test_stream_cannot_be_split(tmp_path: Path) -> None:
    """A setting that needs a length is refused before training."""
    refused: list[dict[str, Any]] = [{"split": "kfold:3"}, {"scheduler": "onecycle"}]
    for given in refused:
        with pytest.raises(SettingError, match="length"):
            run(tmp_path, f"{PROJECTS}/words/shouting.py:shouting", **given)


@pytest.mark.parametrize("task", TASKS)
def test_two_runs_with_the_same_seed_are_equal(task: str, tmp_path: Path) -> None:
    """The seed decides everything, also in the same process."""
    runs = [run(tmp_path, f"{PROJECTS}/{task}", epochs=2) for _ in range(2)]
    losses = [[loss for event in done.of(Steps) for loss in event.losses] for done in runs]
    assert losses[0] == losses[1]


def test_projects_with_files_of_the_same_name_do_not_mix(project: Path, tmp_path: Path) -> None:
    """Each project imports its own helper, and a changed helper is imported anew."""
    for name, epochs in (("one", 1), ("two", 2)):
        folder = project / name
        folder.mkdir()
        shutil.copy(project / "single" / "spirals.py", folder / "helper.py")
        (folder / "task.py").write_text(
            "from helper import spirals\n\ndef mine():\n    task = spirals()\n"
            f"    task.settings = {{'epochs': {epochs}}}\n    return task\n"
        )
    text = (project / "two" / "helper.py").read_text()
    (project / "two" / "helper.py").write_text(text.replace("points(400", "points(64"))
    assert run(tmp_path, f"{project}/one/task.py:mine").finished.step == 13
    assert run(tmp_path, f"{project}/two/task.py:mine").finished.step == 4
    (project / "two" / "helper.py").write_text(text.replace("points(400", "points(32"))
    # Python takes a file of the same size and second for unchanged.
    os.utime(project / "two" / "helper.py", (0, 0))
    assert run(tmp_path, f"{project}/two/task.py:mine").finished.step == 2


def break_file(project: Path, file: str, old: str, new: str) -> int:
    """Change a project's file and return the number of the changed line."""
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("import math", "import mathematics", "No module named 'mathematics' (spirals.py:LINE)"),
        ("class Net(nn.Module):", "class Net(nn.Module)", "expected ':' (spirals.py:LINE)"),
        ("model=Net(hidden),", "model=Net(hidden) + 1,", "'Net' and 'int' (spirals.py:LINE)"),
        ("    return Task(", "    return dict(", "returned a dict"),
        ("def spirals(", "def circles(", "no function 'spirals'; it has points, circles"),
    ],
)
def test_error_in_a_file_names_its_line(old: str, new: str, named: str, project: Path, tmp_path: Path) -> None:
    """An error in a file is one line, before any training."""
    line = break_file(project, "single/spirals.py", old, new)
    with pytest.raises(RequestError) as caught:
        run(tmp_path, f"{project}/single/spirals.py:spirals")
    assert named.replace("LINE", str(line)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_error_in_training_names_the_users_line(workers: int, project: Path, tmp_path: Path) -> None:
    """The user's line is named, also for an error in a DataLoader's worker."""
    line = break_file(project, "package/arithmetic/utils.py", " and SCALE < 0", "") + 1
    done = run(tmp_path, f"{project}/package/arithmetic/train.py:adding", workers=workers)
    assert done.finished.cause == "failed"
    assert done.finished.message == f"ArithmeticError: an unlucky row (utils.py:{line})"


def test_error_inside_a_library_names_the_calling_line(project: Path, tmp_path: Path) -> None:
    """The message names the user's line, and no line of torch or Python."""
    line = break_file(
        project, "single/spirals.py", "return self.layers(points)", "return __import__('json').loads('{')"
    )
    done = run(tmp_path, f"{project}/single/spirals.py:spirals")
    assert done.finished.message.endswith(f"(spirals.py:{line})")
    assert "JSONDecodeError" in done.finished.message


def test_file_that_hides_a_standard_module_is_refused(project: Path, tmp_path: Path) -> None:
    """A user's `random.py` would replace Python's for every library."""
    shutil.copy(project / "single" / "spirals.py", project / "single" / "random.py")
    with pytest.raises(TaskError, match="random"):
        run(tmp_path, f"{project}/single/random.py:spirals")


def test_resume_with_changed_files_names_the_changes(project: Path, tmp_path: Path) -> None:
    """A changed helper, a new file and a changed default are named; without changes there is no message."""
    task = f"{project}/package/arithmetic/train.py:adding"
    folder = create(tmp_path, task)
    assert Run(folder).finished.cause == "completed"
    assert not Run(folder).warnings("task_changed")
    break_file(project, "package/arithmetic/utils.py", "SCALE = 2.0", "SCALE = 2.5")
    break_file(
        project,
        "package/arithmetic/engine.py",
        "from .utils import Pairs",
        "from . import extra\nfrom .utils import Pairs",
    )
    break_file(project, "package/arithmetic/train.py", '"epochs": 10', '"epochs": 11')
    (project / "package" / "arithmetic" / "extra.py").write_text("")
    resumed = Run(folder)
    (message,) = resumed.warnings("task_changed")
    for change in ("arithmetic/utils.py has changed", "arithmetic/extra.py is new", "epochs 10 → 11"):
        assert change in message
    assert "arithmetic/__init__" not in message
    assert resumed.finished.epoch == 11


def test_resume_with_another_model_is_refused(project: Path, tmp_path: Path) -> None:
    """The error names the parameter that no longer fits."""
    folder = create(tmp_path, f"{project}/single/spirals.py:spirals", epochs=1)
    Run(folder)
    break_file(project, "single/spirals.py", "nn.Linear(hidden, 2)", "nn.Linear(hidden, 3)")
    with pytest.raises(RequestError, match=r"layers.4.weight is \(2, 32\), the model's is \(3, 32\)"):
        Run(folder)


def test_record_is_enough_to_repeat_a_run(tmp_path: Path) -> None:
    """Task, parameters, settings and seed of a record give the same run."""
    first = run(tmp_path, f"{PROJECTS}/single/spirals.py:spirals", {"hidden": 8}, epochs=2, seed=5)
    record = first.folder.record()
    assert record.seed == 5
    assert record.versions["torch"]
    assert record.settings["optimizer"] == "adam"
    values: dict[str, Any] = {
        name: value for name, value in record.settings.items() if name not in ("device", "threads")
    }
    again = run(tmp_path, record.task, record.parameters, **values)
    assert again.finished.test == first.finished.test


def test_commit_is_that_of_the_tasks_folder(project: Path, tmp_path: Path) -> None:
    """The recorded commit has a mark if files are not committed."""
    identity = "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a"
    single = project / "single"
    assert os.system(f"cd {single} && git init -q && git add . && {identity} git commit -qm x") == 0
    clean = run(tmp_path, f"{single}/spirals.py:spirals", epochs=1).folder.record().git
    break_file(project, "single/spirals.py", "points(100", "points(90")
    dirty = run(tmp_path, f"{single}/spirals.py:spirals", epochs=1).folder.record().git
    assert clean is not None
    assert dirty is not None
    assert clean["commit"] == dirty["commit"]
    assert (clean["dirty"], dirty["dirty"]) == (False, True)


def test_error_in_the_task_function_names_its_line(tmp_path: Path) -> None:
    """The parameter is a truth value, given as text."""
    with pytest.raises(RequestError, match=r"ValueError: no spirals today \(spirals.py:\d+\)"):
        run(tmp_path, f"{PROJECTS}/single/spirals.py:spirals", {"fail": "true"})
