"""Texts of different lengths from a stream: is a text shouted? A collate function pads them."""

import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import IterableDataset

from stoker.engine import Task

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Texts(IterableDataset):
    """Makes its texts as it goes, and can say where it is."""

    def __init__(self, count, seed):
        self.count, self.seed, self.next = count, seed, 0

    def __iter__(self):
        while self.next < self.count:
            draw = random.Random(self.seed * 100_000 + self.next)
            shouted = draw.random() < 0.5
            text = "".join(draw.choice(LETTERS[26:] if shouted else LETTERS[:26]) for _ in range(draw.randint(3, 12)))
            self.next += 1
            yield text, int(shouted)
        self.next = 0

    def state_dict(self):
        return {"next": self.next}

    def load_state_dict(self, state):
        self.next = state["next"]


def padded(items):
    texts, targets = zip(*items, strict=True)
    codes = [torch.tensor([LETTERS.index(letter) + 1 for letter in text]) for text in texts]
    return pad_sequence(codes, batch_first=True), torch.tensor(targets)


class Reader(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS) + 1, size, padding_idx=0)
        self.memory = nn.GRU(size, size, batch_first=True)
        self.answer = nn.Linear(size, 2)

    def forward(self, codes):
        return self.answer(self.memory(self.letters(codes))[1][0])


def shouting(size: int = 8, count: int = 120) -> Task:
    """Tells shouted texts from quiet ones."""
    return Task(
        model=Reader(size),
        train=Texts(count, seed=1),
        test=Texts(40, seed=2),
        loss=nn.CrossEntropyLoss(),
        collate=padded,
        metrics=["accuracy"],
        settings={"epochs": 4, "batch_size": 10, "lr": 0.02, "optimizer": "adam", "monitor": "accuracy"},
    )
