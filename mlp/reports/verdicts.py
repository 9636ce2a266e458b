"""Which of two settings is better, or that it cannot be told, in one sentence."""

from collections.abc import Sequence

from rich.console import Console as Terminal
from rich.text import Text

from mlp.base import RunError
from mlp.runs import Comparison, Side, compare_sides


def show_verdicts(sides: Sequence[Side], terminal: Terminal, metric: str | None = None) -> None:
    """Print a sentence for each two of some sides, or why they are not compared.

    Parameters
    ----------
    sides : sequence of Side
        At least two.
    terminal : rich.console.Console
    metric : str, optional
        As `mlp.runs.compare_sides` takes it.
    """
    for sentence in verdicts_on(sides, metric):
        terminal.print(Text(sentence))
    terminal.print()


def verdicts_on(sides: Sequence[Side], metric: str | None = None) -> list[str]:
    """Return a sentence for each two of some sides, or why they are not compared."""
    try:
        return [in_a_sentence(comparison) for comparison in compare_sides(sides, metric)]
    except RunError as reason:
        return [f"no verdict: {reason}"]


def in_a_sentence(comparison: Comparison) -> str:
    """Return the verdict: who is better by how much, over what the interval is, the test, its p."""
    difference, over, unit = comparison.difference, *_over(comparison)
    better, worse, metric = comparison.better, comparison.worse, comparison.metric
    if difference.low == difference.high:  # no spread
        apart = f"{_amount(metric, difference.mean)} apart in every pair"
        what = apart if difference.mean else "the same"
        return f"the {unit} cannot tell: {better} and {worse} are {what} in {metric}, {over}"
    low, high = (_number(metric, bound) for bound in (difference.low, difference.high))
    facts = f"{_amount(metric, difference.mean)} in {metric} [{low}, {high}], {over}"
    facts += f", {_test(comparison)}, {_p_value(difference.p)}"
    if comparison.n_compared > 1:
        facts += f" after Holm's correction for {comparison.n_compared} comparisons"
    if comparison.n_apart is not None:
        n_pairs = len(comparison.pairs)
        facts += f"; McNemar's test tells {comparison.n_apart} of {n_pairs} pairs apart"
    if difference.is_told:
        return f"{better} is better than {worse} by {facts}"
    needed = _needed(comparison, unit)
    return f"the {unit} cannot tell{needed}: {better} is ahead of {worse} by {facts}"


def _over(comparison: Comparison) -> tuple[str, str]:
    """Return over what the interval is, and the word for a unit of it."""
    runs = [one for one, _ in comparison.pairs]
    n, data = len(runs), runs[0].record.data
    if n == 1:
        return f"one training each on the same {data.n_test:,} test rows", "test rows"
    seeds, folds = ({getattr(run.repetition, key) for run in runs} for key in ("seed", "fold"))
    splits = comparison.splits
    each = f", the mean of {n / len(splits):g} seeds each" if len(splits) < n else ""
    if len(folds) > 1:
        return f"{len(splits)} folds{each}", "folds"
    if len(splits) == 1:
        return f"{n} training seeds{' on one split' if data.n_val else ''}", "seeds"
    if len(splits) == n == len(seeds):
        return f"{n} seeds, each with a split of its own", "seeds"
    return f"{len(splits)} splits{each or ' and one training seed'}", "splits"


def _test(comparison: Comparison) -> str:
    if comparison.metric == "squared error":
        return "paired t on the squared errors of the rows"
    if len(comparison.pairs) == 1:
        return "McNemar's test"
    shared = comparison.difference.overlap > 0
    return "paired t corrected for shared training rows" if shared else "paired t"


def _needed(comparison: Comparison, unit: str) -> str:
    """Return how many seeds would tell."""
    if unit not in ("seeds", "splits"):
        return ""
    needed = comparison.difference.needed(comparison.n_compared)
    return f"; about {needed} would" if needed else "; nor would a thousand"


def _amount(metric: str, value: float) -> str:
    return _number(metric, value) + (" points" if metric.endswith("accuracy") else "")


def _number(metric: str, value: float) -> str:
    return f"{100 * value:.2f}" if metric.endswith("accuracy") else f"{value:.3g}"


def _p_value(p: float) -> str:
    return f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
