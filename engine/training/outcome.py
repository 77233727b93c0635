"""How a training ended: a training to the end of its epochs, with every error of the task's code as an ending."""

from __future__ import annotations

from ..accelerator import memory
from ..errors import RequestError, TrainingError
from ..runtime.stop_training import StopTraining
from . import misfit
from .failure import failure_message, print_traceback
from .trainer import Trainer


def train_to_end(trainer: Trainer) -> tuple[StopTraining, dict[str, float]]:
    """Train, and return how the training ended and the last metrics. An error of the task's code also ends it.

    Raises RequestError where the request was wrong and no step was taken.
    """
    try:
        stop = StopTraining("completed")
        try:
            trainer.train()
        except StopTraining as early:
            if early.cause != "early_stopping":
                raise
            stop = early
        return stop, trainer.evaluate_test()
    except StopTraining as cut_short:
        stop = cut_short
    except RequestError as error:
        if trainer.state.progress.step == 0:
            raise
        stop = StopTraining("failed", str(error))
    except TrainingError as error:
        stop = StopTraining("failed", str(error))
    except (Exception, SystemExit) as error:
        print_traceback()
        stop = StopTraining("failed", failure_message(error, trainer.device) + misfit.explained(trainer, error))
    # Not in a handler: the traceback there holds the memory of the step.
    memory.empty_cache(trainer.device)
    return stop, trainer.state.metrics
