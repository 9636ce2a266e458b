"""A run or a sweep in a few lines of Markdown, as its page in MLflow shows it."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from mlp.base import RunError, counted
from mlp.runs import (
    RunFolder,
    RunRecord,
    SweepRecord,
    findings_in_words,
    in_words,
    metric_in_words,
    read_leaderboard,
    read_run,
    results_in_words,
    verdict_in_words,
)
from mlp.tracking.counterpart import Counterpart
from mlp.tracking.pages import list_page, run_page
from mlp.tracking.views import view_key

GAP = "&emsp;"
Find = Callable[[str], Counterpart | None]


def describe(record: RunRecord) -> str:
    """Return what was trained, how it ended, the figures, and the command that repeats it.

    Parameters
    ----------
    record : RunRecord
    """
    paragraphs = (
        _headline(record),
        _what_was_trained(record),
        _members(record) if record.members else _how_it_ended(record),
        _table(record),
        verdict_in_words(record),
        "\n".join(f"- {sentence}" for sentence in findings_in_words(record)),
        f"To repeat it:\n\n{_fenced(record.command)}",
    )
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def describe_sweep(record: SweepRecord, experiment: str, find: Find) -> str:
    """Return the sweep in some lines of Markdown; a folded page shows the first.

    Parameters
    ----------
    record : SweepRecord
    experiment : str
        The id of its experiment in MLflow.
    find : callable
        Returns where MLflow has a run, given its id; None if it is not to have it.
    """
    best, n = record.best, record.counts
    states = ", ".join(f"{n[state]} {state}" for state in n if n[state])
    found = f"{record.stop_reason or f'Running: {states}'.removesuffix(': ')}."
    if best:
        value = metric_in_words(best.metric, best.value)
        found += f" Best: **{_linked(find(best.run), best.name)}**, {best.metric} {value}."
    all_runs = f"[All its runs, the best first](#{list_page(experiment, view_key(record))})"
    axes = [f"- `{key}`: {', '.join(map(in_words, values))}" for key, values in record.axes.items()]
    parts = [
        f"{found} {all_runs}",
        _ranking(record.id, find),
        "\n".join(axes),
        f"To repeat or continue it:\n\n{_fenced(record.command)}",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(record: RunRecord) -> str:
    """Return the results but for losses in one line, which a page shows before it is unfolded."""
    names, figures = {"val": "validation", "test": "test"}, defaultdict(list)
    for part, values in record.results.items():
        for key, value in values.items():
            if part in names and key != "loss":
                figures[key].append(f"{names[part]} **{metric_in_words(key, value)}**")
    return " ".join(f"{k.capitalize()}: {', '.join(values)}." for k, values in figures.items())


def _what_was_trained(record: RunRecord) -> str:
    model, data = record.model, record.data
    rows = {"training": data.n_train, "validation": data.n_val, "testing": data.n_test}
    split = ", ".join(f"{n:,} for {purpose}" for purpose, n in rows.items() if n)
    return (
        f"{', '.join(model.layers)} ({model.n_parameters:,} parameters), {model.loss}, "
        f"on **{data.name}**: {split}."
    )


def _members(record: RunRecord) -> str:
    """Return the names of an ensemble's runs."""
    names = []
    for member in record.members:
        try:
            names.append(f"- {read_run(RunFolder.of(member)).name} (`{member[:8]}`)")
        except RunError:  # deleted since, or elsewhere
            names.append(f"- `{member[:8]}`")
    return "The mean of what these predict:\n\n" + "\n".join(names)


def _how_it_ended(record: RunRecord) -> str:
    if not record.ended:
        return "Running."
    sentence = f"{record.status} after {counted(record.epochs, 'epoch')} and {record.seconds:.1f} s"
    return f"{sentence}: {record.stop_reason}." if record.stop_reason else f"{sentence}."


def _table(record: RunRecord) -> str:
    """Return the results, a row for each part of the data; '' without any."""
    header, *rows = results_in_words(record)
    return _markdown_table([header, *rows]) if rows else ""


def _ranking(sweep: str, find: Find, most: int = 10) -> str:
    """Return the first rows of the leaderboard, with links; '' when there is none yet."""
    try:
        board = read_leaderboard([sweep])
    except RunError:
        return ""
    rows = [["", "", board.metric, "epoch"]]
    for rank, row in enumerate(board.rows[:most], 1):
        name = _linked(find(row.runs[0].id), row.name)
        rows.append([str(rank), name, row.in_words(board.metric), f"{row.best_epoch:.0f}"])
    return _markdown_table(rows)


def _linked(place: Counterpart | None, name: str) -> str:
    """Return a run's name as a link to its page, if MLflow has it."""
    return f"[{_escaped(name)}](#{run_page(place)})" if place else _escaped(name)


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table, the first column on the left and the others on the right."""
    header, *body = rows
    rule = ["---", *("---:" for _ in header[1:])]
    # MLflow sets columns without a gap
    lines = [[*row[:1], *(f"{GAP}{cell}" for cell in row[1:])] for row in (header, *body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _escaped(text: str) -> str:
    """Return text in which Markdown finds no signs of its own."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _fenced(text: str) -> str:
    """Return a block of Markdown code that its own content cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
