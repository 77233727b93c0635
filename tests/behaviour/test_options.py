"""Every training option has its effect: a run with it differs in the expected way from a run without it."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.config.settings import Settings
from stoker.engine.data.dataset_batches import DatasetBatches
from stoker.engine.errors import RequestError
from stoker.engine.runs.events import Evaluated, LearningRate, Steps
from tests.support.in_process import Run, create, run
from tests.support.paths import SUPPORT

FILE = SUPPORT / "recording_task.py"
TASK = f"{FILE}:recording"


def log() -> list[dict[str, Any]]:
    """Return the calls that the last run's model recorded; its file is imported anew for every run."""
    return sys.modules["recording_task"].RecordingModel.log  # type: ignore[attr-defined,no-any-return]


def losses(done: Run) -> list[float]:
    """Return the loss of every step."""
    return [loss for event in done.of(Steps) for loss in event.losses]


def weights(done: Run) -> Tensor:
    """Return all parameters of the last checkpoint in one vector."""
    saved = checkpoint.read(done.folder.checkpoints / "latest.pt")
    return torch.cat([value.flatten() for value in saved["model"].values()])


def moved(done: Run) -> float:
    """Return the distance that one step moved the weights at a learning rate of 1."""
    torch.manual_seed(0)
    before = run(done.folder.path, TASK, lr=1e-12, epochs=1, batch_size="null")
    return float((weights(done) - weights(before)).norm())


def test_epochs_batch_size_and_learning_rate_are_used(tmp_path: Path) -> None:
    """They decide the number of steps, their batches and their learning rate."""
    done = run(tmp_path, TASK, epochs=3, batch_size=16, lr=0.25)
    assert len(losses(done)) == 3 * 3
    sizes = [entry["size"] for entry in log() if entry["training"]]
    assert sizes == [16, 16, 8] * 3
    assert {tuple(event.lr) for event in done.of(Steps)} == {(0.25,)}
    whole = run(tmp_path, TASK, epochs=3, batch_size="null")
    assert len(losses(whole)) == 3


def test_seed_decides_weights_and_order(tmp_path: Path) -> None:
    """The same seed gives the same bits, and another seed gives others."""
    one, two, other = (run(tmp_path, TASK, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(weights(one), weights(two))
    assert not torch.equal(weights(one), weights(other))


@pytest.mark.parametrize("name", ["adam", "sgd:momentum=0.9", "sgd:weight_decay=0.5"])
def test_optimizer_is_the_requested_one(name: str, tmp_path: Path) -> None:
    """Another optimizer, momentum or weight decay gives other weights."""
    assert not torch.equal(weights(run(tmp_path, TASK, optimizer=name)), weights(run(tmp_path, TASK)))


def test_weight_decay_shrinks_the_weights(tmp_path: Path) -> None:
    """Weight decay multiplies the weights by 1 - lr × decay at each step."""
    plain, decayed = (run(tmp_path, TASK, optimizer=name) for name in ("sgd", "sgd:weight_decay=2"))
    assert weights(decayed).norm() < 0.5 * weights(plain).norm()


def test_scheduler_changes_the_learning_rate(tmp_path: Path) -> None:
    """A change by epochs emits an event; a change by steps is recorded in the steps."""
    done = run(tmp_path, TASK, epochs=4, scheduler="step:size=2,gamma=0.1")
    assert [event.lr for event in done.of(LearningRate)] == [pytest.approx([0.01]), pytest.approx([0.001])]
    done = run(tmp_path, TASK, epochs=4, scheduler="plateau:factor=0.5,patience=0,threshold=1e9,threshold_mode=abs")
    assert [event.lr[0] for event in done.of(LearningRate)] == pytest.approx([0.05, 0.025, 0.0125])
    done = run(tmp_path, TASK, epochs=2, scheduler="warmup:steps=5+cosine")
    assert done.of(Steps)[-1].lr[0] < 0.1


@pytest.mark.parametrize("stream", [False, True])
def test_accumulated_batches_equal_one_large_batch(stream: bool, tmp_path: Path) -> None:
    """Gradients are averaged over a window, also over the shorter last window of an epoch."""
    task = f"{FILE}:in_order"
    small = run(tmp_path, task, {"stream": stream}, batch_size=5, accumulate=3)
    large = run(tmp_path, task, {"stream": stream}, batch_size=15)
    assert len(losses(small)) == len(losses(large)) == 2 * 3
    assert torch.allclose(weights(small), weights(large), atol=1e-6)
    assert losses(small) == pytest.approx(losses(large), abs=1e-5)


def test_clipping_bounds_the_step(tmp_path: Path) -> None:
    """A gradient a thousand times too large moves the weights by lr × clip; a small one is unchanged."""
    options: dict[str, Any] = {"epochs": 1, "batch_size": "null", "lr": 1.0}
    assert moved(run(tmp_path, TASK, {"scale": 1000}, **options)) > 10
    assert moved(run(tmp_path, TASK, {"scale": 1000}, clip=0.5, **options)) == pytest.approx(0.5, rel=1e-3)
    plain, loose = run(tmp_path, TASK, **options), run(tmp_path, TASK, clip=1e6, **options)
    assert torch.equal(weights(plain), weights(loose))


def test_clipping_happens_after_unscaling(tmp_path: Path) -> None:
    """With a gradient scaler the unscaled gradient is clipped."""
    options: dict[str, Any] = {"epochs": 1, "batch_size": "null", "lr": 1.0, "precision": "fp16"}
    assert moved(run(tmp_path, TASK, clip=0.05, **options)) == pytest.approx(0.05, rel=1e-2)


def test_label_smoothing_is_in_the_loss(tmp_path: Path) -> None:
    """The first loss is smoothed; a loss function without label smoothing is refused."""
    first = [losses(run(tmp_path, TASK, batch_size="null", label_smoothing=value))[0] for value in (0, 0.3)]
    assert first[0] != first[1]
    torch.manual_seed(0)
    with pytest.raises(RequestError, match="CrossEntropyLoss"):
        run(tmp_path, TASK, {"scale": 2}, label_smoothing=0.1)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
)
def test_precision_is_that_of_the_forward_pass(precision: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """Training and evaluation use the precision; weights stay float32, and only fp16 has a scaler."""
    done = run(tmp_path, TASK, precision=precision)
    assert {entry["dtype"] for entry in log()} == {dtype}
    saved = checkpoint.read(done.folder.checkpoints / "latest.pt")
    assert {value.dtype for value in saved["model"].values()} == {torch.float32}
    assert (saved["scaler"] is not None) == (precision == "fp16")
    assert losses(done)[-1] < losses(done)[0]


def test_channels_last_changes_the_layout_of_the_weights(tmp_path: Path) -> None:
    """The results are the same except for the last bits."""
    plain = run(tmp_path, TASK)
    assert not any(entry["channels_last"] for entry in log())
    turned = run(tmp_path, TASK, channels_last=True)
    assert all(entry["channels_last"] for entry in log())
    assert torch.allclose(weights(plain), weights(turned), atol=1e-5)


@pytest.mark.slow
def test_compile_compiles_the_model_and_keeps_parameter_names(tmp_path: Path) -> None:
    """The model is compiled, and its checkpoint has the plain model's names."""
    plain, compiled = run(tmp_path, TASK), run(tmp_path, TASK, compile=True)
    assert not log()
    assert torch.allclose(weights(plain), weights(compiled), atol=1e-4)
    names = [set(checkpoint.read(done.folder.checkpoints / "latest.pt")["model"]) for done in (plain, compiled)]
    assert names[0] == names[1]


def test_workers_give_the_same_bits_as_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data in memory, augmented by batch, is the same from two workers as from none."""
    started = []
    init = DatasetBatches.__init__

    def note(self: Any, *args: Any, **options: Any) -> None:
        started.append(inspect.signature(init).bind(self, *args, **options).arguments["workers"])
        init(self, *args, **options)

    monkeypatch.setattr(DatasetBatches, "__init__", note)
    alone, helped = (run(tmp_path, TASK, {"shift": True}, workers=workers) for workers in (0, 2))
    assert started == [2]
    assert torch.equal(weights(alone), weights(helped))
    still = run(tmp_path, TASK)
    assert not torch.equal(weights(alone), weights(still))


def test_data_loader_keeps_its_own_options(tmp_path: Path) -> None:
    """A loader keeps its batch size and `drop_last`; the command line may change the batch size."""
    run(tmp_path, TASK, {"loader": True}, epochs=1)
    assert [entry["size"] for entry in log() if entry["training"]] == [8] * 5
    run(tmp_path, TASK, {"loader": True}, epochs=1, batch_size=12)
    assert [entry["size"] for entry in log() if entry["training"]] == [12] * 3


def test_no_deterministic_changes_nothing_on_the_cpu(tmp_path: Path) -> None:
    """The setting is for GPUs: on the CPU the weights are the same, and nothing is warned of."""
    plain, free = run(tmp_path, TASK), run(tmp_path, TASK, deterministic=False)
    assert torch.equal(weights(plain), weights(free))
    assert plain.warnings("inexact") == free.warnings("inexact") == []


@pytest.mark.parametrize(("kind", "pinned"), [("cpu", False), ("cuda", True)])
def test_memory_is_pinned_only_for_a_gpu(kind: str, pinned: bool) -> None:
    """Memory is pinned for a GPU alone, unless the task says otherwise."""
    device = torch.device(kind)
    for options, wanted in (({}, pinned), ({"pin_memory": not pinned}, not pinned)):
        batches = DatasetBatches(TensorDataset(torch.zeros(40)), 8, 0, device, shuffle=True, options=options)
        assert batches._loader.pin_memory is wanted


def test_threads_and_eval_every_are_used_and_recorded(tmp_path: Path) -> None:
    """The requested values are used and recorded."""
    done = run(tmp_path, TASK, threads=2, eval_every="4steps")
    assert {entry["threads"] for entry in log()} == {2}
    assert [event.step for event in done.of(Evaluated)] == [4, 8, 10]
    assert done.folder.record().settings["threads"] == 2
    done = run(tmp_path, TASK, epochs=5, eval_every="2epochs")
    assert [event.epoch for event in done.of(Evaluated)] == [2, 4, 5]


@pytest.mark.parametrize(("monitor", "scheduler"), [("f1", "none"), ("loss", "none")])
def test_monitored_metric_decides_the_best_checkpoint(monitor: str, scheduler: str, tmp_path: Path) -> None:
    """The best checkpoint has the highest score, or the lowest loss."""
    done = run(tmp_path, TASK, monitor=monitor, epochs=12, lr=1.5, scheduler=scheduler)
    values = {event.step: event.metrics[monitor] for event in done.of(Evaluated)}
    best = (min if monitor == "loss" else max)(values.values())
    assert done.finished.best == best
    saved = checkpoint.read(done.folder.checkpoints / "best.pt")
    assert values[saved["progress"]["step"]] == best
    assert len(set(values.values())) > 1


def test_patience_ends_the_run(tmp_path: Path) -> None:
    """The run ends after that many evaluations without improvement."""
    done = run(tmp_path, TASK, epochs=50, lr=1e-12, patience=3, monitor="accuracy")
    assert done.finished.cause == "early_stopping"
    assert len(done.of(Evaluated)) == 4


@pytest.mark.parametrize("keep", [0, 1, 8])
def test_keep_keeps_the_newest_numbered_checkpoints(keep: int, tmp_path: Path) -> None:
    """The requested number of newest checkpoints is kept, each exactly of its epoch's end."""
    done = run(tmp_path, TASK, epochs=10, batch_size=20, save_every="1epochs", keep=keep)
    last = done.finished.step or 0
    ends = range(last // 10, last + 1, last // 10)
    kept = sorted(path.name for path in done.folder.checkpoints.glob("step-*.pt"))
    assert kept == [f"step-{step:09d}.pt" for step in ends][10 - keep :]


def test_split_makes_evaluation_data_or_validation_data(tmp_path: Path) -> None:
    """A split makes evaluation data; beside test data it makes validation data, and the test comes at the end."""
    done = run(tmp_path, TASK, split="holdout:0.25")
    assert [event.split for event in done.of(Evaluated)] == ["val", "val", "test"]
    assert sum(entry["size"] for entry in log() if entry["training"]) == 2 * 30


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"monitor": "f2"}, "f2"),
        ({"optimizer": "speedy"}, "speedy"),
        ({"scheduler": "steep"}, "steep"),
        ({"split": "kfold:100"}, "from 2 to 40"),
        ({"device": "cuda:7"}, "cuda"),
        ({"data": "/no/such/folder"}, "no such folder"),
        ({"seed": 2**32}, "--seed"),
    ],
)
def test_wrong_value_is_refused_before_training(given: dict[str, Any], named: str, tmp_path: Path) -> None:
    """A wrong value raises an error before any event is emitted."""
    folder = create(tmp_path, TASK, None, **given)
    with pytest.raises(RequestError, match=named) as caught:
        Run(folder)
    assert "\n" not in str(caught.value)
    assert b"run_started" not in folder.events.read_bytes()


def test_every_setting_has_a_test() -> None:
    """A new setting needs a test of its own."""
    elsewhere = {"on_nan"}
    text = Path(__file__).read_text()
    assert [name for name in Settings().asdict() if name not in text and name not in elsewhere] == []
