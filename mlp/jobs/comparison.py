"""A run and its repetition, compared bit by bit."""

from collections.abc import Iterator
from itertools import zip_longest
from math import isnan

import numpy as np

from mlp import nn, runs
from mlp.base import counted
from mlp.runs import RunFolder, RunRecord

TIMES = ("timestamp", "seconds", "examples_per_second")  # not repeated


def comparisons(then: RunFolder, now: RunFolder) -> Iterator[tuple[str, str | None]]:
    """Yield what is compared, and the first difference in it or None.

    All that the run has is compared; of one that was interrupted, that may be its history alone.

    Parameters
    ----------
    then : RunFolder
    now : RunFolder
        The repetition.

    Raises
    ------
    RunError
        When a file of the run is absent or damaged.
    """
    run, repetition = runs.read_training(then), runs.read_training(now)
    yield "the data", data_changed(run, repetition.data.digest)
    split = "other rows validate" if run.data.split != repetition.data.split else None
    yield "their split", split
    rows = runs.read_history(then)
    whose = "" if run.state == "finished" else f" of a {run.state} run"
    yield (
        f"the history of {counted(len(rows), 'epoch')}{whose}",
        _in_history(rows, runs.read_history(now)),
    )
    if repetition.status == "FAILED":
        yield "the end", f"the repetition FAILED: {repetition.stop_reason}"
    if run.best and repetition.best and then.weights.exists():
        epochs = run.best.epoch, repetition.best.epoch
        if epochs[0] == epochs[1]:
            yield "the weights", _in_weights(then, now)
        elif run.status == "FINISHED":
            yield "the best epoch", f"the best epoch was {epochs[0]} and is {epochs[1]}"
    if run.test:
        metrics = repetition.test.metrics if repetition.test else {}
        yield "the test metrics", _in_test(run, metrics)
        if then.test_predictions.exists():
            yield "the test predictions", _in_predictions(then, now)


def data_changed(run: RunRecord, digest: str) -> str | None:
    """Return that the data have not the digest that they had, if so."""
    if digest == run.data.digest:
        return None
    digests = f"the digest of {run.data.name} was {run.data.digest[:16]} and is {digest[:16]}"
    return f"the data have changed: {digests}"


def _in_history(then: list[dict[str, float]], now: list[dict[str, float]]) -> str | None:
    missing: dict[str, float] = {}
    for row, repeated in zip_longest(then, now, fillvalue=missing):
        for key, value in row.items():
            if key not in TIMES and not _same(value, repeated.get(key)):
                return f"epoch {row['epoch']:.0f}: {_was(key, value, repeated.get(key))}"
    return None


def _in_weights(then: RunFolder, now: RunFolder) -> str | None:
    before, after = (dict(nn.load(folder.weights).named_arrays()) for folder in (then, now))
    for name, array in before.items():
        other = after.get(name, np.empty(0))
        if (array.shape, array.dtype) != (other.shape, other.dtype):
            return f"{name} was {array.dtype} {array.shape} and is {other.dtype} {other.shape}"
        bits = f"u{array.itemsize}"  # tells -0 from 0
        differing = array.view(bits) != other.view(bits)
        if n := np.count_nonzero(differing):
            place = tuple(np.argwhere(differing)[0].tolist())
            most = np.abs(array - other).max()
            return (
                f"{name}{list(place)} was {array[place]!s} and is {other[place]!s}; {n:,} of "
                f"{array.size:,} values differ, by {most:.2g} at most"
            )
    return None


def _in_test(run: RunRecord, metrics: dict[str, float]) -> str | None:
    assert run.test
    for key, value in run.test.metrics.items():
        if not _same(value, metrics.get(key)):
            again = run.ended and run.test.timestamp > 1000 * run.ended.timestamp()
            later = "; mlp evaluate has tested it again after its end" if again else ""
            return _was(f"test/{key}", value, metrics.get(key)) + later
    return None


def _in_predictions(then: RunFolder, now: RunFolder) -> str | None:
    tables = (folder.test_predictions.read_text("utf-8") for folder in (then, now))
    for number, (line, repeated) in enumerate(zip_longest(*map(str.splitlines, tables))):
        if line != repeated:
            return f"line {number} of the test predictions was {line!r} and is {repeated!r}"
    return None


def _same(a: float, b: float | None) -> bool:
    return a == b or (b is not None and isnan(a) and isnan(b))


def _was(what: str, before: float, after: float | None) -> str:
    return f"{what} was {before!r} and is {'absent' if after is None else repr(after)}"
