"""A DCGAN on scikit-learn's 8×8 digits: two models, two optimizers.

python docs/examples/dcgan.py --name gan        # run it again: it continues where it was killed
"""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import stoker

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="dcgan")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--save-every", default="1min")
given = parser.parse_args()

images = torch.from_numpy(load_digits().images).float()[:, None] / 8 - 1
loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)

torch.manual_seed(1)
generator = nn.Sequential(
    nn.ConvTranspose2d(16, 32, 2), nn.BatchNorm2d(32), nn.ReLU(),
    nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
    nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh(),
)  # fmt: skip
critic = nn.Sequential(
    nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 1),
)  # fmt: skip
optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))

run = stoker.Run(
    model=generator, optimizer=optimizer_g, critic=critic, optimizer_d=optimizer_d, epochs=given.epochs,
    name=given.name, resume="allow", save_every=given.save_every,
)  # fmt: skip

for _epoch in run.epochs():
    for (real,) in run.batches(loader):
        fake = generator(torch.randn(len(real), 16, 1, 1))
        loss_d = F.softplus(-critic(real)).mean() + F.softplus(critic(fake.detach())).mean()
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        loss_g = F.softplus(-critic(fake)).mean()
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        run.log(loss=loss_g, critic=loss_d)

torch.save({"generator": generator.state_dict(), "critic": critic.state_dict()}, f"{given.name}.pt")
