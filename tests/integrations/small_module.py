"""A script with Lightning's Trainer and a small module, which may kill itself at a batch."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
from typing import Any

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--name")
parser.add_argument("--namespace")
parser.add_argument("--accumulate", type=int, default=1)
parser.add_argument("--data", default="tensors")
parser.add_argument("--die", type=int, default=0)
given = parser.parse_args()
lightning = importlib.import_module(given.namespace)

from stoker.integrations.lightning import StokerCallback, exact  # noqa: E402

X = torch.randn(60, 8, generator=torch.Generator().manual_seed(1))


class Noisy(torch.utils.data.Dataset[Any]):
    """Rows with random noise."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> Any:
        return X[index] + torch.rand(()) * random.random(), X[index].sum()


class Small(lightning.LightningModule):  # type: ignore[misc, name-defined]
    """A network with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))

    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        """Return the loss ()."""
        loss = (self.net(batch[0])[:, 0] - batch[1]).square().mean()
        self.log("train_err", loss.sqrt())
        return loss

    def validation_step(self, batch: Any, number: int) -> None:
        """Log the loss."""
        self.log("val_loss", (self.net(batch[0])[:, 0] - batch[1]).square().mean())

    def configure_optimizers(self) -> Any:
        """Return Adam with a schedule that steps with the batches."""
        optimizer = torch.optim.Adam(self.parameters(), 1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 45)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


class Die(lightning.Callback):  # type: ignore[misc, name-defined]
    """Kills the process."""

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """At one batch."""
        if trainer.fit_loop.total_batch_idx + 1 == given.die:
            os.kill(os.getpid(), signal.SIGKILL)


torch.manual_seed(0)
module = Small()
watched = StokerCallback(name=given.name, resume="allow", save_every="3steps")
trainer = lightning.Trainer(
    max_epochs=3, accelerator="cpu", callbacks=[watched, Die()], logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=given.accumulate,
)  # fmt: skip
data = Noisy() if given.data == "noisy" else torch.utils.data.TensorDataset(X, X.sum(1))
loader = exact(torch.utils.data.DataLoader(data, batch_size=4, shuffle=True))
validation = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:8], X[:8].sum(1)), batch_size=4)
trainer.fit(module, loader, validation, ckpt_path=watched.checkpoint)
torch.save(module.state_dict(), f"{given.name}.pt")
