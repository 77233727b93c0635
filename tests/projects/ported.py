# Ten trainings of well-known kinds, as their tutorials write them, on small made-up data.
import copy
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from stoker import Task

SMALL = {"epochs": 3, "batch_size": 16, "lr": 1e-3, "optimizer": "adam", "device": "cpu", "threads": 1}


def made(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3)
        self.drop, self.fc = nn.Dropout2d(0.2), nn.Linear(72, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.drop(self.conv2(x)))
        return self.fc(x.flatten(1))


class Flipped(Dataset):
    """Images with a random flip and noise."""

    def __init__(self, rows):
        self.images, self.labels = made(rows, 1, 14, 14), torch.arange(rows) % 4

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i]
        if random.random() < 0.5:
            image = image.flip(-1)
        return image[:, :12, :12] + torch.randn(1, 12, 12) * np.random.uniform(0, 0.1), self.labels[i]


def classifier():
    return Task(
        LeNet(), train=Flipped(64), test=Flipped(16), loss=nn.CrossEntropyLoss(), metrics=["accuracy"], settings=SMALL
    )


class CharLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm, self.head = (
            nn.Embedding(20, 8),
            nn.LSTM(8, 16, num_layers=2, dropout=0.1, batch_first=True),
            nn.Linear(16, 20),
        )

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0]).transpose(1, 2)


def language_model():
    text = (made(400) * 20).long()
    inputs, targets = text[:-1].unfold(0, 8, 4), text[1:].unfold(0, 8, 4)
    settings = {**SMALL, "clip": 1.0, "scheduler": "onecycle"}
    return Task(
        CharLstm(),
        train=(inputs, targets),
        test=(inputs[:20], targets[:20]),
        loss=nn.CrossEntropyLoss(),
        settings=settings,
    )


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.logvar, self.dec = nn.Linear(12, 8), nn.Linear(8, 2), nn.Linear(8, 2), nn.Linear(2, 12)

    def forward(self, x):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        return self.dec(mu + torch.randn_like(mu) * (0.5 * logvar).exp()), mu, logvar


def vae():
    def elbo(outputs, targets):
        out, mu, logvar = outputs
        return F.binary_cross_entropy_with_logits(out, targets) - 0.01 * (1 + logvar - mu**2 - logvar.exp()).mean()

    x = made(80, 12)
    return Task(Vae(), train=(x, x), test=(x[:20], x[:20]), loss=elbo, settings=SMALL)


def gan():
    generator = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.Sigmoid())
    critic = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    second = torch.optim.Adam(critic.parameters(), 2e-4, betas=(0.5, 0.999))
    bce = F.binary_cross_entropy_with_logits

    def step(model, batch):
        real, _ = batch
        fake = model["generator"](torch.randn(len(real), 4))
        second.zero_grad()
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        (bce(critic(real), ones) + bce(critic(fake.detach()), zeros)).backward()
        second.step()
        return bce(critic(fake), ones)

    def evaluate(model, batch):
        scores = critic(batch[0])
        return bce(scores, torch.ones_like(scores)), scores, batch[1]

    return Task(
        nn.ModuleDict({"generator": generator, "critic": critic}),
        train=(made(64, 6), torch.zeros(64)),
        test=(made(16, 6, seed=1), torch.zeros(16)),
        step=step,
        evaluate=evaluate,
        optimizer=lambda model, lr: torch.optim.Adam(model["generator"].parameters(), lr, betas=(0.5, 0.999)),
        state={"second": second},
        settings=SMALL,
    )


def denoiser():
    model = nn.Sequential(nn.Linear(12, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 12))
    x = made(80, 12)
    return Task(
        model,
        train=(x, x),
        test=(x[:16], x[:16]),
        loss=nn.MSELoss(),
        augment=lambda x: x + 0.1 * torch.randn_like(x),
        settings={**SMALL, "scheduler": "cosine"},
    )


def recommender():
    class Factors(nn.Module):
        def __init__(self):
            super().__init__()
            self.users, self.items = nn.Embedding(30, 4, max_norm=1.0), nn.Embedding(40, 4)

        def forward(self, pairs):
            return (self.users(pairs[:, 0]) * self.items(pairs[:, 1])).sum(1)

    pairs = torch.stack([(made(100) * 30).long(), (made(100, seed=1) * 40).long()], 1)
    return Task(
        Factors(),
        train=(pairs, made(100, seed=2)),
        loss=nn.MSELoss(),
        metrics=["rmse"],
        settings={**SMALL, "optimizer": "adagrad", "monitor": "rmse"},
    )


class Pairs(Dataset):
    """Sentences of different lengths."""

    def __len__(self):
        return 48

    def __getitem__(self, i):
        length = 3 + i % 5
        return (torch.arange(length) * (i + 1)) % 15 + 1, torch.tensor(i % 2)


def pad(items):
    words = nn.utils.rnn.pad_sequence([words for words, _ in items], batch_first=True)
    return {"words": words, "mask": words == 0}, torch.stack([label for _, label in items])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(16, 8, padding_idx=0), nn.Linear(8, 2)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)

    def forward(self, words, mask):
        return self.head(self.layer(self.embed(words), src_key_padding_mask=mask).mean(1))


def sentences():
    return Task(
        Encoder(),
        train=Pairs(),
        test=Pairs(),
        collate=pad,
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
        metrics=["f1_macro"],
        settings={**SMALL, "scheduler": "warmup:steps=4+cosine"},
    )


def imbalanced():
    data = TensorDataset(made(60, 4), (made(60, seed=3) < 0.2).float())
    weights = [5.0 if y else 1.0 for y in data.tensors[1]]
    loader = DataLoader(data, batch_size=12, sampler=WeightedRandomSampler(weights, len(weights)))
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))
    model = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
    return Task(model, train=loader, test=data, loss=loss, settings={**SMALL, "scheduler": "plateau:patience=1"})


def distillation():
    torch.manual_seed(5)
    teacher = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3)).eval().requires_grad_(False)

    def step(model, batch):
        x, y = batch
        soft = F.kl_div(F.log_softmax(model(x) / 2, 1), F.softmax(teacher(x) / 2, 1), reduction="batchmean")
        return F.cross_entropy(model(x), y) + soft

    x = made(64, 6)
    y = teacher(x).argmax(1)
    return Task(
        nn.Linear(6, 3),
        train=(x, y),
        test=(x[:20], y[:20]),
        step=step,
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        settings=SMALL,
    )


def self_supervised():
    """Mean teacher: an average of the weights gives the targets, and is kept in the task's state."""
    student = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    average = copy.deepcopy(student).requires_grad_(False)

    def step(model, batch):
        x, _ = batch
        with torch.no_grad():
            for mine, new in zip(average.parameters(), model.parameters(), strict=True):
                mine.lerp_(new, 0.05)
        return F.mse_loss(model(x + 0.1 * torch.randn_like(x)), average(x * random.uniform(0.9, 1.1)))

    def evaluate(model, batch):
        return F.mse_loss(model(batch[0]), average(batch[0])), model(batch[0]), batch[1]

    x = made(64, 6)
    return Task(
        student,
        train=(x, x),
        test=(x[:20], x[:20]),
        step=step,
        evaluate=evaluate,
        state={"average": average},
        settings=SMALL,
    )
