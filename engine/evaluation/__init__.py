"""Metrics, early stopping and the evaluation of a model or a checkpoint."""
