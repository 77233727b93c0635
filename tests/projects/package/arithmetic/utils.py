"""Data of two inputs and two targets."""

import torch
from torch.utils.data import Dataset

SCALE = 2.0


class Pairs(Dataset):
    """(a, b) with their sum and product."""

    def __init__(self, count, seed):
        self.numbers = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) * SCALE

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, row):
        if row == 13 and SCALE < 0:
            raise ArithmeticError("an unlucky row")
        a, b = self.numbers[row]
        return {"a": a, "b": b}, {"sum": a + b, "product": a * b}
