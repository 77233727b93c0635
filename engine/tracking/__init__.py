"""Runs that only log numbers: `stoker.init`, `log` and `finish`, without torch and without checkpoints."""
