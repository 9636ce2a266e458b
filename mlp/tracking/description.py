"""A run in a few lines of Markdown, as its page in MLflow shows it."""

from mlp.runs import RunRecord
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
    """Return the accuracies in one line, which a page shows before it is unfolded."""
    best = record.metrics
    figures = [f"validation **{best['val/accuracy']:.2%}**"] if "val/accuracy" in best else []
    figures += [f"test **{record.test.accuracy:.2%}**"] if record.test else []
    return f"Accuracy: {', '.join(figures)}." if figures else ""


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
    """Loss and accuracy of the best epoch and of each evaluation, a row each; '' without any."""
    best = record.metrics
    rows = [
        (f"{part}, epoch {best['epoch']}", best[f"{part}/loss"], best[f"{part}/accuracy"])
        for part in ("train", "val")
        if f"{part}/loss" in best
    ]
    evaluations = {"test": record.test} | record.evaluations
    rows += [(name, e.loss, e.accuracy) for name, e in evaluations.items() if e]
    if not rows:
        return ""
    lines = ["| | loss | accuracy |", "|---|---:|---:|"]
    return "\n".join(
        lines + [f"| {name} | {loss:.4f} | {accuracy:.2%} |" for name, loss, accuracy in rows]
    )
