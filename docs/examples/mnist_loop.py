"""A plain training loop, MNIST with a CNN: watched, steered and resumed by six lines of stoker (marked #).

python docs/examples/mnist_loop.py --data DATA --name mine      # run it again: it continues where it was killed
stoker attach mine                                              # in another terminal
"""

import argparse

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST

import stoker

parser = argparse.ArgumentParser()
parser.add_argument("--data", default="data")
parser.add_argument("--name", default="mnist-loop")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--limit", type=int, help="train on so many images")
parser.add_argument("--save-every", default="1min")
given = parser.parse_args()


def images(train: bool) -> TensorDataset:
    """Return (N, 1, 28, 28) floats and (N,) classes."""
    found = MNIST(given.data, train=train, download=True)
    return TensorDataset(found.data[: given.limit, None] / 255, found.targets[: given.limit])


torch.manual_seed(1)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, 2),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, 2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Dropout(0.3),
    nn.Linear(1152, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
train_loader = DataLoader(images(True), batch_size=64, shuffle=True)
test_loader = DataLoader(images(False), batch_size=1000)

run = stoker.Run(
    model=model, optimizer=optimizer, scheduler=scheduler, epochs=given.epochs, monitor="accuracy",
    name=given.name, resume="allow", save_every=given.save_every,
)  # fmt: skip


@run.evaluation
def test():
    """Return loss and accuracy on the test images."""
    model.eval()
    loss = correct = count = 0
    for x, y in test_loader:
        output = model(x)
        loss += F.cross_entropy(output, y, reduction="sum")
        correct += (output.argmax(1) == y).sum()
        count += len(y)
    model.train()
    return {"loss": loss / count, "accuracy": correct / count}


for _epoch in run.epochs():
    for x, y in run.batches(train_loader):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(loss=loss)
    scheduler.step()
    run.evaluate()

torch.save(model.state_dict(), f"{given.name}.pt")
