"""The training engine: trains a Task, knows nothing of terminals, and imports torch only when it trains."""

from .tasks.task import Task

__all__ = ["Task"]
