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
    """Return a sentence for each two of some sides, or why they are not compared.

    What several of them have in common, over what and by which test, is said once, at the end.
    """
    try:
        comparisons = compare_sides(sides, metric)
    except RunError as reason:
        return [f"no verdict: {reason}"]
    verdicts = [_verdict(comparison) for comparison in comparisons]
    bases = [_basis(comparison, len(comparisons)) for comparison in comparisons]
    if len(verdicts) == 1:
        bases[0] += _networks(comparisons[0])
    elif len(set(bases)) == 1:
        return [*verdicts, f"each: {bases[0]}"]
    return [f"{verdict}; {basis}" for verdict, basis in zip(verdicts, bases, strict=True)]


def _verdict(comparison: Comparison) -> str:
    """Return who is better by how much, the interval and p."""
    difference, unit = comparison.difference, _over(comparison)[1]
    better, worse, metric = comparison.better, comparison.worse, comparison.metric
    amount = _amount(metric, difference.mean)
    if difference.low == difference.high:  # no spread
        what = f"{amount} apart in every pair" if difference.mean else "the same"
        return f"the {unit} cannot tell: {better} and {worse} are {what}"
    low, high = (_number(metric, bound) for bound in (difference.low, difference.high))
    by = f"{worse} by {amount} [{low}, {high}], {_p_value(difference.p)}"
    if difference.is_told:
        return f"{better} is better than {by}"
    return f"the {unit} cannot tell{_needed(comparison, unit)}: {better} is ahead of {by}"


def _basis(comparison: Comparison, n_shown: int) -> str:
    """Return of what a verdict is and by which test, and what was corrected for or left out."""
    over, _ = _over(comparison)
    basis = f"{comparison.metric} of {over}{_rows(comparison)}, {_test(comparison)}"
    if (n := comparison.n_compared) > 1:
        what = "comparisons" if n == n_shown else "pairs to choose from by rank"
        basis += f", p (not the interval) after Holm's correction for {n} {what}"
    if n := comparison.n_left_out:
        basis += f"; left out without a partner: {n} run{'s' if n > 1 else ''}"
    return basis


def _networks(comparison: Comparison) -> str:
    """Return what McNemar's test says of each two networks."""
    if comparison.n_apart is None:
        return ""
    n, (n_better, n_worse) = len(comparison.pairs), comparison.n_apart
    return f"; by McNemar's test better in {n_better} of {n} pairs, worse in {n_worse}"


def _over(comparison: Comparison) -> tuple[str, str]:
    """Return over what the interval is, and the word for a unit of it."""
    runs = [one for one, _ in comparison.pairs]
    n, n_val = len(runs), runs[0].record.data.n_val
    if n == 1:
        return "one training each", "test rows"
    seeds, folds = ({getattr(run.repetition, key) for run in runs} for key in ("seed", "fold"))
    splits = comparison.splits
    each = f", the mean of {n / len(splits):g} seeds each" if len(splits) < n else ""
    if len(folds) > 1:
        return f"{len(splits)} folds{each}", "folds"
    if len(splits) == 1:
        return f"{n} training seeds{' on one split' if n_val else ''}", "seeds"
    if len(splits) == n == len(seeds):
        return f"{n} seeds, each with a split of its own", "seeds"
    return f"{len(splits)} splits{each or ' and one training seed'}", "splits"


def _rows(comparison: Comparison) -> str:
    """Return on which rows, and whether the verdict is of others, too."""
    if not comparison.n_rows:
        return ""
    part = {"val": "validation"}.get(comparison.metric.partition("/")[0], "test")
    rows = f"{comparison.n_rows:,} {part} rows"
    if len(comparison.pairs) == 1:
        return f" on {rows}"
    return f", {rows}" if comparison.new_rows else f", these {rows} only"


def _test(comparison: Comparison) -> str:
    if comparison.metric == "squared error":
        return "paired t on the squared errors of the rows"
    if len(comparison.pairs) == 1:
        return "McNemar's test"
    if comparison.new_rows:
        return f"t over {_over(comparison)[1]} and rows"
    shared = comparison.difference.shared > 0
    return "paired t corrected for shared training rows" if shared else "paired t"


def _needed(comparison: Comparison, unit: str) -> str:
    """Return how many seeds would tell."""
    if unit not in ("seeds", "splits"):
        return ""
    needed = comparison.difference.needed(comparison.n_compared)
    return f" (about {needed} would)" if needed else " (nor would a thousand)"


def _amount(metric: str, value: float) -> str:
    return _number(metric, value) + (" points" if metric.endswith("accuracy") else "")


def _number(metric: str, value: float) -> str:
    return f"{100 * value:.2f}" if metric.endswith("accuracy") else f"{value:.3g}"


def _p_value(p: float) -> str:
    return f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
