"""A character model in the style of nanoGPT: steps instead of epochs, `get_batch`, a schedule of its own.

python docs/examples/char_gpt.py --name gpt        # run it again: it continues where it was killed
"""

import argparse
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import stoker

parser = argparse.ArgumentParser()
parser.add_argument("--text", default=__file__, help="the file to learn")
parser.add_argument("--name", default="char-gpt")
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--save-every", default="1min")
given = parser.parse_args()

text = Path(given.text).read_text()
letters = sorted(set(text))
data = torch.tensor([letters.index(letter) for letter in text])
context, width, lr, warmup = 32, 64, 3e-3, 20


class Block(nn.Module):
    """Self-attention and an MLP, each with a residual connection."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1))

    def forward(self, x):
        """Return (batch, time, width) for the same."""
        q, k, v = (part.unflatten(-1, (4, -1)).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Two blocks between an embedding and a linear layer."""

    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(len(letters), width), nn.Embedding(context, width)
        self.blocks, self.head = nn.Sequential(Block(), Block()), nn.Linear(width, len(letters))

    def forward(self, ids):
        """Return logits (batch, time, letters) for ids (batch, time)."""
        x = self.token(ids) + self.place(torch.arange(ids.shape[1]))
        return self.head(self.blocks(x))


def get_batch():
    """Return inputs and targets, (8, context) each, from random places of the text."""
    starts = torch.randint(len(data) - context - 1, (8,))
    return torch.stack([data[i : i + context] for i in starts]), torch.stack(
        [data[i + 1 : i + context + 1] for i in starts]
    )


def learning_rate(step):
    """Return a linear warm-up, then half a cosine."""
    if step < warmup:
        return lr * (step + 1) / warmup
    return lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, given.steps - warmup)))


torch.manual_seed(1)
model = GPT()
optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
run = stoker.Run(
    model=model, optimizer=optimizer, name=given.name, resume="allow", seed=1, save_every=given.save_every,
    eval_every="100steps", config={"width": width, "context": context},
)  # fmt: skip


@run.evaluation
def validate():
    """Return the loss on four random batches, and record a sample."""
    model.eval()
    losses = [F.cross_entropy(model(x).flatten(0, 1), y.flatten()) for x, y in (get_batch() for _ in range(4))]
    ids = data[None, :1]
    for _ in range(40):
        ids = torch.cat([ids, model(ids[:, -context:])[:, -1].softmax(-1).multinomial(1)], 1)
    run.text("sample", "".join(letters[i] for i in ids[0]))
    return {"loss": sum(losses) / 4}


for step in run.steps(given.steps):
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step) * run.lr_scale
    x, y = get_batch()
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    run.log(loss=loss, grad_norm=norm)

torch.save(model.state_dict(), f"{given.name}.pt")
