"""A run in a few lines of Markdown, as its page in MLflow shows it."""

from collections import defaultdict

from mlp.runs import RunRecord, metric_in_words, results_in_words
from mlp.tracking.tags import fenced


def describe(record: RunRecord) -> str:
    """Return what was trained, how it ended, the figures, and the command that repeats it.

    Parameters
    ----------
    record : RunRecord
    """
    paragraphs = (
        _headline(record),
        _what_was_trained(record),
        _how_it_ended(record),
        _table(record),
        f"To repeat it:\n\n{fenced(record.command)}",
    )
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


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


def _how_it_ended(record: RunRecord) -> str:
    if not record.ended:
        return "Running."
    sentence = f"{record.status} after {record.epochs} epochs and {record.seconds:.1f} s"
    return f"{sentence}: {record.stop_reason}." if record.stop_reason else f"{sentence}."


def _table(record: RunRecord) -> str:
    """Return the results, a row for each part of the data; '' without any."""
    header, *rows = results_in_words(record)
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)) if rows else ""
