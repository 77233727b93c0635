"""The built-in tasks. Their modules import torch only when called, so that names and parameters are available at once."""

TASK_NAMES = ("iris", "digits", "mnist", "svhn", "cifar10")
