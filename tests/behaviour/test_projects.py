"""Projects of one's own, of different shape, from their files to the end of a run."""

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


def test_a_single_file_learns(tmp_path: Path) -> None:
    """Its parameters are converted from text; its run can be evaluated afterwards."""
    done = run(tmp_path, f"{PROJECTS}/single/spirals.py:spirals", {"hidden": "24", "noise": "0.01"})
    assert done.folder.record().parameters == {"hidden": 24, "noise": 0.01, "fail": False}
    assert done.finished.cause == "completed"
    assert done.finished.test["accuracy"] > 0.9
    found = results.evaluate(done.folder, "latest")
    assert found["metrics"]["accuracy"] == done.finished.test["accuracy"]
    assert sum(map(sum, found["confusion"])) == 100


def test_a_package_with_an_engine_of_its_own(tmp_path: Path) -> None:
    """Relative imports, several inputs and losses, parameter groups; `engine` and `utils` are the user's."""
    done = run(tmp_path, f"{PROJECTS}/package/arithmetic/train.py:adding")
    evaluated = [event.metrics["mae"] for event in done.of(Evaluated)]
    assert evaluated[-1] < evaluated[0] / 2
    assert len(done.of(Steps)[0].lr) == 3
    assert set(done.folder.record().sources) == {
        f"arithmetic/{name}.py" for name in ("__init__", "engine", "train", "utils")
    }


def test_a_folder_without_init_may_import_relatively(project: Path, tmp_path: Path) -> None:
    """As it would with `python -m`."""
    (project / "package" / "arithmetic" / "__init__.py").unlink()
    done = run(tmp_path, f"{project}/package/arithmetic/train.py:adding", epochs=1)
    assert done.finished.cause == "completed"


def test_a_module_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`module:function` is found from the present folder."""
    monkeypatch.chdir(PROJECTS / "package")
    assert run(tmp_path, "arithmetic.train:adding", epochs=1).finished.cause == "completed"


def test_a_stream_of_texts_with_a_collate_function(tmp_path: Path) -> None:
    """Without a length; and again with workers."""
    task = f"{PROJECTS}/words/shouting.py:shouting"
    done = run(tmp_path, task)
    assert done.of(RunStarted)[0].steps_per_epoch is None
    assert done.finished.test["accuracy"] > 0.9
    assert [event.step for event in done.of(Evaluated)] == [12, 24, 36, 48]
    assert not done.warnings("inexact")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_project_stopped_inside_an_epoch_goes_on_to_the_same_end(task: str, accumulate: int, tmp_path: Path) -> None:
    """Also a stream that keeps its place, in the middle of an accumulation window."""
    straight = run(tmp_path, f"{PROJECTS}/{task}", epochs=3, accumulate=accumulate)
    folder = create(tmp_path, f"{PROJECTS}/{task}", epochs=3, accumulate=accumulate)
    stopped = Run(folder, stop_at=11)
    assert stopped.finished.cause == "stopped"
    resumed = Run(folder)
    assert not resumed.warnings("inexact")
    assert resumed.finished.test == straight.finished.test


def test_a_stream_cannot_be_split(tmp_path: Path) -> None:
    """What needs a length is refused before anything is trained."""
    for given in ({"split": "kfold:3"}, {"scheduler": "onecycle"}):
        with pytest.raises(SettingError, match="length"):
            run(tmp_path, f"{PROJECTS}/words/shouting.py:shouting", **given)


@pytest.mark.parametrize("task", TASKS)
def test_two_runs_of_a_project_are_the_same(task: str, tmp_path: Path) -> None:
    """The seed decides everything, in the same process too."""
    runs = [run(tmp_path, f"{PROJECTS}/{task}", epochs=2) for _ in range(2)]
    losses = [[loss for event in done.of(Steps) for loss in event.losses] for done in runs]
    assert losses[0] == losses[1]


def test_projects_with_files_of_the_same_name_do_not_mix(project: Path, tmp_path: Path) -> None:
    """A second project's helper is its own, and a changed helper is read again."""
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
    assert run(tmp_path, f"{project}/two/task.py:mine").finished.step == 2


def spoilt(project: Path, file: str, old: str, new: str) -> int:
    """Change a project's file, and return the line where it was changed."""
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
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    old: str, new: str, named: str, project: Path, tmp_path: Path
) -> None:
    """One line, before anything is trained."""
    line = spoilt(project, "single/spirals.py", old, new)
    with pytest.raises(RequestError) as caught:
        run(tmp_path, f"{project}/single/spirals.py:spirals")
    assert named.replace("LINE", str(line)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_training_is_said_with_the_users_line(workers: int, project: Path, tmp_path: Path) -> None:
    """Also one raised in a DataLoader's worker, whose traceback comes as text."""
    line = spoilt(project, "package/arithmetic/utils.py", " and SCALE < 0", "") + 1
    done = run(tmp_path, f"{project}/package/arithmetic/train.py:adding", workers=workers)
    assert done.finished.cause == "failed"
    assert done.finished.message == f"ArithmeticError: an unlucky row (utils.py:{line})"


def test_an_error_inside_a_library_is_said_with_the_line_that_called_it(project: Path, tmp_path: Path) -> None:
    """Neither torch's line nor Python's helps a person."""
    line = spoilt(project, "single/spirals.py", "return self.layers(points)", "return __import__('json').loads('{')")
    done = run(tmp_path, f"{project}/single/spirals.py:spirals")
    assert done.finished.message.endswith(f"(spirals.py:{line})")
    assert "JSONDecodeError" in done.finished.message


def test_a_file_that_hides_a_module_is_refused(project: Path, tmp_path: Path) -> None:
    """`random.py` would be everyone's random."""
    shutil.copy(project / "single" / "spirals.py", project / "single" / "random.py")
    with pytest.raises(TaskError, match="random"):
        run(tmp_path, f"{project}/single/random.py:spirals")


def test_going_on_with_changed_files_says_what_changed(project: Path, tmp_path: Path) -> None:
    """The helper, a new file, and a default setting; nothing is said where nothing changed."""
    task = f"{project}/package/arithmetic/train.py:adding"
    folder = create(tmp_path, task)
    assert Run(folder).finished.cause == "completed"
    assert not Run(folder).warnings("task_changed")
    spoilt(project, "package/arithmetic/utils.py", "SCALE = 2.0", "SCALE = 2.5")
    spoilt(
        project,
        "package/arithmetic/engine.py",
        "from .utils import Pairs",
        "from . import extra\nfrom .utils import Pairs",
    )
    spoilt(project, "package/arithmetic/train.py", '"epochs": 10', '"epochs": 11')
    (project / "package" / "arithmetic" / "extra.py").write_text("")
    resumed = Run(folder)
    (message,) = resumed.warnings("task_changed")
    for said in ("arithmetic/utils.py has changed", "arithmetic/extra.py is new", "epochs was 10, is 11"):
        assert said in message
    assert "arithmetic/__init__" not in message
    assert resumed.finished.epoch == 11


def test_going_on_with_another_model_is_refused(project: Path, tmp_path: Path) -> None:
    """The parameter that no longer fits is named."""
    folder = create(tmp_path, f"{project}/single/spirals.py:spirals", epochs=1)
    Run(folder)
    spoilt(project, "single/spirals.py", "nn.Linear(hidden, 2)", "nn.Linear(hidden, 3)")
    with pytest.raises(RequestError, match=r"layers.4.weight is \(2, 32\), the model's is \(3, 32\)"):
        Run(folder)


def test_the_record_is_enough_to_run_it_again(tmp_path: Path) -> None:
    """Task, parameters, settings and seed of one record give the same run."""
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


def test_the_commit_is_that_of_the_tasks_folder(project: Path, tmp_path: Path) -> None:
    """With a mark where something is not committed."""
    identity = "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a"
    single = project / "single"
    assert os.system(f"cd {single} && git init -q && git add . && {identity} git commit -qm x") == 0
    clean = run(tmp_path, f"{single}/spirals.py:spirals", epochs=1).folder.record().git
    spoilt(project, "single/spirals.py", "points(100", "points(90")
    dirty = run(tmp_path, f"{single}/spirals.py:spirals", epochs=1).folder.record().git
    assert clean is not None
    assert dirty is not None
    assert clean["commit"] == dirty["commit"]
    assert (clean["dirty"], dirty["dirty"]) == (False, True)


def test_a_failing_function_is_told_with_its_line(tmp_path: Path) -> None:
    """The parameter is a truth value, given as text."""
    with pytest.raises(RequestError, match=r"ValueError: no spirals today \(spirals.py:\d+\)"):
        run(tmp_path, f"{PROJECTS}/single/spirals.py:spirals", {"fail": "true"})
