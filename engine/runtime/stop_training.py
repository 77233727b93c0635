"""The exception that ends a training loop between two batches."""

from __future__ import annotations


class StopTraining(Exception):
    """Ends the training: on request, by early stopping, or by the policy for losses that are not finite."""

    def __init__(self, cause: str, message: str = "", save_cause: str = "end") -> None:
        """End with the `cause` of the run_finished event; `save_cause` is that of the last save."""
        super().__init__(message)
        self.cause, self.message, self.save_cause = cause, message, save_cause
