"""A user's module called engine: a step with two losses."""

from torch import nn

from .utils import Pairs


def step(model, batch):
    inputs, targets = batch
    sums, products = model(**inputs)
    loss = nn.functional.mse_loss
    return loss(sums, targets["sum"]) + loss(products, targets["product"])


def evaluate(model, batch):
    inputs, targets = batch
    sums, _ = model(**inputs)
    return step(model, batch), sums, targets["sum"]


def data(count):
    return Pairs(count, seed=1), Pairs(count // 4, seed=2)
