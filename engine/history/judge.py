"""One sentence about how a training goes, from its curves alone: improving, flat, overfitting, diverged or noisy.

It is a pure function of the history. Where the curves do not carry a judgement it says nothing.
"""

from __future__ import annotations

from .divergence import BLOCKS, MIN_STEPS, diverged, train_losses
from .fold_history import FoldHistory
from .history import RunHistory
from .overfit import evaluated, overfitting
from .trend import Trend, block_means, finite, trend_of
from .verdict import Verdict, short

SIGNIFICANT = 2.5  # standard errors of a change that is no chance
FLAT = 0.1  # share of what is left to improve; a smaller change is none
NOISY = 0.15  # scatter over what is left to improve, from which a curve without trend is noisy
NOISY_RANGE = 0.05  # scatter over the whole range, below which no curve is noisy
STILL = 1e-3  # whole range over the level, below which nothing was learnt


def judge(history: RunHistory) -> Verdict | None:
    """Return the judgement of the fold that is trained now, or was trained last; None where nothing can be said.

    Diverged and overfitting come first, because they make the others meaningless. Then the monitored metric is judged by
    its trend over the last third of the evaluations; with too few evaluations, the training loss.
    """
    fold = history.current
    return diverged(fold) or overfitting(history) or _by_metric(history) or _by_training_loss(fold)


def _by_metric(history: RunHistory) -> Verdict | None:
    early = history.early_stopping
    name = early.monitor if early else "loss"
    split, curve = evaluated(history.current, name)
    if curve is None:
        return None
    _, values = finite(*curve.points())
    trend = trend_of(values)
    if trend is None:
        return None
    higher = history.direction(name) == "higher"
    return _by_trend(f"{split} {name}", trend, float(values[-1]), higher, "evaluations")


def _by_training_loss(fold: FoldHistory) -> Verdict | None:
    if fold.train.length < MIN_STEPS:
        return None
    _, means = block_means(*train_losses(fold), BLOCKS)
    trend = trend_of(means)
    if trend is None:
        return None
    span = fold.train.length // BLOCKS * trend.points
    return _by_trend("training loss", trend, float(means[-1]), False, "steps", span)


def _by_trend(name: str, trend: Trend, last: float, higher: bool, unit: str, count: int = 0) -> Verdict | None:
    sign = 1 if higher else -1
    gain, late = sign * trend.change, sign * trend.late_change
    over = f"over the last {count or trend.points:,} {unit}"
    if trend.whole <= STILL * abs(trend.level):
        return Verdict("flat", f"flat from the start: {name} {short(last)}")
    left = 1 - trend.level if higher and 0 <= trend.level <= 1 else abs(trend.level)
    # A curve that turned back within the last third is neither.
    goes_on = late * (1 if gain > 0 else -1) > -2 * trend.error
    if abs(gain) > SIGNIFICANT * trend.error and abs(gain) > FLAT * left and goes_on:
        words = f"{name} {trend.change:+.2g} {over}"
        return (
            Verdict("improving", f"improving: {words}") if gain > 0 else Verdict("worsening", f"getting worse: {words}")
        )
    if trend.scatter > NOISY * left and trend.scatter > NOISY_RANGE * trend.whole:
        return Verdict("noisy", f"noisy: {name} {short(trend.level)} ± {trend.scatter:.2g} {over}")
    return Verdict("flat", f"flat: {name} {short(last)}, no clear change {over}")
