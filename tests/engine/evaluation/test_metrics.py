"""Metrics against those of scikit-learn, over batches of unequal size."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
import torch
import torchmetrics
from torch import Tensor, nn

from stoker.engine.errors import SettingError
from stoker.engine.evaluation.classification import PerClass
from stoker.engine.evaluation.metrics import Metrics

CPU = torch.device("cpu")
CLASSES = 4


def streamed(metrics: Metrics, outputs: Tensor, targets: Tensor, size: int = 32) -> dict[str, float]:
    """Measure in batches, the last one smaller, after a measurement of other data and a reset."""
    for start in range(0, len(outputs) + len(outputs), size):
        if start == size:
            metrics.reset()
            break
        metrics.update(torch.tensor(9.0), outputs[:3], targets[:3], 3)
    for start in range(0, len(outputs), size):
        part = slice(start, start + size)
        loss = (outputs[part].float().sum() / len(outputs[part])).abs()
        metrics.update(loss, outputs[part], targets[part], len(outputs[part]))
    return metrics.compute()


@pytest.fixture
def scores() -> tuple[Tensor, Tensor]:
    """Outputs (101, 4) that are right more often than not, and classes of unequal size."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.multinomial(torch.tensor([0.5, 0.3, 0.15, 0.05]), 101, replacement=True, generator=generator)
    outputs = torch.randn(101, CLASSES, generator=generator) + 1.2 * nn.functional.one_hot(targets, CLASSES)
    return outputs, targets


def test_every_classification_metric_equals_scikit_learns(scores: tuple[Tensor, Tensor]) -> None:
    """Each average of each score, in one pass."""
    outputs, targets = scores
    guess, truth = outputs.argmax(1).numpy(), targets.numpy()
    names = ["accuracy", "top_2", "top_3"]
    wanted: dict[str, float] = {
        "accuracy": reference.accuracy_score(truth, guess),
        "top_2": reference.top_k_accuracy_score(truth, outputs.numpy(), k=2, labels=range(CLASSES)),
        "top_3": reference.top_k_accuracy_score(truth, outputs.numpy(), k=3, labels=range(CLASSES)),
    }
    scorers = {"f1": reference.f1_score, "precision": reference.precision_score, "recall": reference.recall_score}
    for name, scorer in scorers.items():
        names += [name, *(f"{name}_{average}" for average in ("macro", "micro", "weighted", "class"))]
        wanted[name] = scorer(truth, guess, average="macro")
        for average in ("macro", "micro", "weighted"):
            wanted[f"{name}_{average}"] = scorer(truth, guess, average=average)
        wanted |= {f"{name}_class_{i}": value for i, value in enumerate(scorer(truth, guess, average=None))}
    found = streamed(Metrics(names, CPU), outputs, targets)
    found.pop("loss")
    assert found == pytest.approx(wanted, abs=1e-6)


def test_the_loss_is_the_mean_over_samples_not_over_batches() -> None:
    """A last batch of one sample counts as one sample."""
    metrics = Metrics([], CPU)
    metrics.update(torch.tensor(1.0), torch.zeros(3, 2), torch.zeros(3), 3)
    metrics.update(torch.tensor(5.0), torch.zeros(1, 2), torch.zeros(1), 1)
    assert metrics.compute() == {"loss": 2.0}


def test_the_confusion_matrix_as_numbers(scores: tuple[Tensor, Tensor]) -> None:
    """Row by row; a row is a true class."""
    outputs, targets = scores
    found = streamed(Metrics(["confusion"], CPU), outputs, targets)
    wanted = reference.confusion_matrix(targets, outputs.argmax(1)).flatten()
    assert [found[f"confusion_{i}"] for i in range(CLASSES**2)] == wanted.tolist()


def test_regression_metrics_equal_scikit_learns() -> None:
    """mse, rmse, mae and r2."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(77, generator=generator)
    outputs = targets + 0.3 * torch.randn(77, generator=generator)
    found = streamed(Metrics(["mse", "rmse", "mae", "r2"], CPU), outputs, targets)
    a, b = targets.numpy(), outputs.numpy()
    assert found["mse"] == pytest.approx(reference.mean_squared_error(a, b), abs=1e-5)
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(a, b), abs=1e-5)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(a, b), abs=1e-5)
    assert found["r2"] == pytest.approx(reference.r2_score(a, b), abs=1e-5)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_binary_logits_are_no_probabilities(shape: tuple[int, ...]) -> None:
    """Logits between 0 and 1 are probabilities above one half; torchmetrics would guess that they are probabilities."""
    truth = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0]).reshape(shape)
    logits = torch.tensor([0.2, 0.4, 0.1, 0.45, 0.3]).reshape(shape)
    found = streamed(Metrics(["accuracy", "recall"], CPU, logits=True), logits, truth, size=5)
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["recall"] == pytest.approx(1.0)
    found = streamed(Metrics(["accuracy"], CPU), logits, truth, size=5)
    assert found["accuracy"] == pytest.approx(0.4)


def test_each_of_several_labels_is_measured() -> None:
    """Against scikit-learn. Such a sample has no single class, so there is no confusion matrix."""
    torch.manual_seed(3)
    logits, truth = torch.randn(50, 4), (torch.rand(50, 4) > 0.6).float()
    found = streamed(Metrics(["accuracy", "f1", "recall_class"], CPU, logits=True), logits, truth)
    guess = (logits > 0).int().numpy()
    assert found["accuracy"] == pytest.approx(float((guess == truth.numpy()).mean()))
    assert found["f1"] == pytest.approx(reference.f1_score(truth.numpy(), guess, average="macro"))
    wanted = reference.recall_score(truth.numpy(), guess, average=None)
    assert [found[f"recall_class_{i}"] for i in range(4)] == pytest.approx(wanted.tolist())
    probable = streamed(Metrics(["accuracy"], CPU), logits.sigmoid(), truth)
    assert probable["accuracy"] == pytest.approx(found["accuracy"])
    tables = PerClass([], CPU, nn.BCEWithLogitsLoss())
    tables.update(torch.tensor(0.0), logits, truth, 50)
    assert tables.tables() is None
    with pytest.raises(SettingError, match="several labels"):
        Metrics(["confusion"], CPU, logits=True).update(torch.tensor(0.0), logits, truth, 50)


def test_a_soft_target_is_its_likeliest_class() -> None:
    """Cross-entropy takes such targets, from mixup for example."""
    torch.manual_seed(4)
    outputs, truth = torch.randn(50, 4), torch.randn(50, 4).softmax(1)
    wanted = reference.accuracy_score(truth.argmax(1), outputs.argmax(1))
    assert streamed(Metrics(["accuracy"], CPU), outputs, truth)["accuracy"] == pytest.approx(wanted)


def test_torchmetrics_objects_and_their_direction() -> None:
    """Several values become several numbers; a lower error is better."""
    wanted = {
        "error": torchmetrics.MeanAbsoluteError(),
        "recall": torchmetrics.classification.MulticlassRecall(2, average="none"),
    }
    metrics = Metrics({"error": wanted["error"]}, CPU)
    assert streamed(metrics, torch.ones(5), torch.zeros(5))["error"] == 1.0
    assert metrics.lower_is_better("error")
    metrics = Metrics({"recall": wanted["recall"]}, CPU)
    found = streamed(metrics, torch.eye(2)[[0, 1, 1]], torch.tensor([0, 1, 0]))
    assert (found["recall_0"], found["recall_1"]) == (0.5, 1.0)
    assert not metrics.lower_is_better("recall_1")
    metrics.check_monitor("recall_1")


@pytest.mark.parametrize(("name", "lower"), [("loss", True), ("mae", True), ("accuracy", False), ("r2", False)])
def test_the_direction_of_a_metric(name: str, lower: bool) -> None:
    """Lower errors and higher scores are better."""
    metrics = Metrics([name] if name != "loss" else [], CPU)
    assert metrics.lower_is_better(name) is lower
    assert metrics.directions()[name] == ("lower" if lower else "higher")


@pytest.mark.parametrize("name", ["acuracy", "top_", "top_0", "f1_mean", "accuracy_"])
def test_an_unknown_metric_is_refused(name: str) -> None:
    """Before any training, with the list of names."""
    with pytest.raises(SettingError, match="choose from accuracy, f1"):
        Metrics([name], CPU)


@pytest.mark.parametrize("monitor", ["f1", "confusion", "recall_class", "recall_klass_0"])
def test_a_monitor_must_be_one_number(monitor: str) -> None:
    """Of a metric of several values, one value is monitored."""
    metrics = Metrics(["accuracy", "confusion", "recall_class"], CPU)
    for good in ("loss", "accuracy", "confusion_3", "recall_class_0"):
        metrics.check_monitor(good)
    with pytest.raises(SettingError, match="recall_class_0, …"):
        metrics.check_monitor(monitor)


@pytest.mark.parametrize(
    ("name", "outputs"), [("top_5", torch.zeros(3, 4)), ("top_2", torch.zeros(3, 1)), ("f1_class", torch.zeros(3))]
)
def test_a_metric_that_does_not_fit_the_outputs_is_refused(name: str, outputs: Tensor) -> None:
    """It needs more classes than the model has."""
    with pytest.raises(SettingError, match=name):
        Metrics([name], CPU).update(torch.tensor(0.0), outputs, torch.zeros(3, dtype=torch.long), 3)


def test_the_tables_equal_scikit_learns(scores: tuple[Tensor, Tensor]) -> None:
    """Confusion matrix, precision, recall, F1 and support, besides the task's own metrics."""
    outputs, targets = scores
    metrics = PerClass(["accuracy"], CPU, nn.CrossEntropyLoss())
    for start in range(0, 101, 40):
        metrics.update(torch.tensor(0.0), outputs[start : start + 40], targets[start : start + 40], 40)
    guess = outputs.argmax(1)
    tables: Any = metrics.tables()
    assert tables["confusion"] == reference.confusion_matrix(targets, guess).tolist()
    columns = reference.precision_recall_fscore_support(targets, guess)
    wanted = np.array(columns).T
    found = [[row[name] for name in ("precision", "recall", "f1", "support")] for row in tables["per_class"]]
    assert np.allclose(found, wanted)
    assert metrics.compute()["accuracy"] == pytest.approx(reference.accuracy_score(targets, guess))


def test_the_tables_of_a_binary_classifier_and_of_a_regression() -> None:
    """A binary classifier has two classes; a regression has no tables."""
    binary = PerClass([], CPU, nn.BCEWithLogitsLoss())
    binary.update(torch.tensor(0.0), torch.tensor([[0.3], [-1.0], [2.0]]), torch.tensor([[1.0], [0.0], [0.0]]), 3)
    tables: Any = binary.tables()
    assert tables["confusion"] == [[1, 1], [0, 1]]
    regression = PerClass(["mse"], CPU, nn.MSELoss())
    regression.update(torch.tensor(0.0), torch.zeros(3, 2), torch.zeros(3, 2), 3)
    assert regression.tables() is None


def test_torchmetrics_is_imported_when_names_are_checked() -> None:
    """Its import takes half a second, which would otherwise fall into the first evaluation of a training."""
    code = (
        "import sys, torch\nfrom stoker.engine.evaluation.metrics import Metrics\n"
        "before = 'torchmetrics' in sys.modules\nMetrics(['accuracy'], torch.device('cpu'))\n"
        "print(before, 'torchmetrics.classification' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "True"
