"""A script with Hugging Face's Trainer and a tiny GPT-2, which may kill itself at a step."""

from __future__ import annotations

import argparse
import os
import random
import signal
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments, default_data_collator

import stoker

parser = argparse.ArgumentParser()
parser.add_argument("--name")
parser.add_argument("--accumulate", type=int, default=1)
parser.add_argument("--noisy", action="store_true", help="random data, and masks drawn by the collator")
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--die", type=int, default=0)
given = parser.parse_args()


class Die(TrainerCallback):  # type: ignore[misc]
    """Kills the process."""

    def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """At one step."""
        if state.global_step == given.die:
            os.kill(os.getpid(), signal.SIGKILL)


class Noisy(torch.utils.data.Dataset[Any]):
    """Rows with a random token."""

    def __len__(self) -> int:
        return len(tokens)

    def __getitem__(self, index: int) -> Any:
        row = tokens[index].clone()
        row[torch.randint(16, ()).item()] = random.randrange(50)
        return {"input_ids": row, "labels": row}


def masked(rows: list[Any]) -> Any:
    """Return a batch in which a random part of the labels is left out."""
    batch = default_data_collator(rows)
    if given.noisy:
        batch["labels"] = batch["labels"].masked_fill(torch.rand(batch["labels"].shape) < 0.2, -100)
    return batch


torch.manual_seed(0)
tokens = torch.randint(50, (60, 16), generator=torch.Generator().manual_seed(1))
data = [{"input_ids": row, "labels": row} for row in tokens]
model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=2, n_head=2))
arguments = TrainingArguments(
    output_dir=f"out-{given.name}", per_device_train_batch_size=4, num_train_epochs=3, learning_rate=1e-3, save_steps=7,
    logging_steps=5, eval_strategy="steps", eval_steps=10, gradient_accumulation_steps=given.accumulate, report_to=[],
    use_cpu=True, disable_tqdm=True, dataloader_num_workers=given.workers,
)  # fmt: skip
trainer = Trainer(
    model=model, args=arguments, train_dataset=Noisy() if given.noisy else data, eval_dataset=data[:8],
    data_collator=masked, callbacks=[Die()],
)  # fmt: skip
stoker.tend(trainer, name=given.name, resume="allow", exact=given.noisy)
trainer.train()
torch.save(model.state_dict(), f"{given.name}.pt")
