"""A run in a few lines of Markdown, as its page in MLflow shows it."""

from collections.abc import Mapping
from typing import Any


def describe(record: Mapping[str, Any]) -> str:
    """Return what was trained, how it ended, the figures, and the command that repeats it.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    """
    paragraphs = (
        _headline(record),
        _what_was_trained(record),
        _how_it_ended(record),
        _table(record),
        f"Again:\n\n```\n{record['command']}\n```",
    )
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _headline(record: Mapping[str, Any]) -> str:
    """Return the accuracies in one line, which a page shows before it is unfolded."""
    best = record["best"] or {}
    figures = [f"validation **{best['val/accuracy']:.2%}**"] if "val/accuracy" in best else []
    figures += [f"test **{record['test']['accuracy']:.2%}**"] if record["test"] else []
    return f"Accuracy: {', '.join(figures)}." if figures else ""


def _what_was_trained(record: Mapping[str, Any]) -> str:
    model, data = record["model"], record["data"]
    split = f"{data['n_train']:,} to train"
    split += f", {data['n_val']:,} to validate" if data["n_val"] else ""
    split += f", {data['n_test']:,} to test" if data["n_test"] else ""
    return (
        f"{', '.join(model['layers'])} ({model['n_parameters']:,} parameters), {model['loss']}, "
        f"on **{data['name']}**: {split}."
    )


def _how_it_ended(record: Mapping[str, Any]) -> str:
    if not record["ended"]:
        return "Under way."
    sentence = f"{record['status']} after {record['epochs']} epochs and {record['seconds']:.1f} s"
    return f"{sentence}: {record['stop_reason']}." if record["stop_reason"] else f"{sentence}."


def _table(record: Mapping[str, Any]) -> str:
    """Loss and accuracy of the best epoch and of each evaluation, a row each; '' without any."""
    best = record["best"] or {}
    rows = [
        (f"{part}, epoch {best['epoch']}", best[f"{part}/loss"], best[f"{part}/accuracy"])
        for part in ("train", "val")
        if f"{part}/loss" in best
    ]
    evaluations = {"test": record["test"]} | record["evaluations"]
    rows += [(name, e["loss"], e["accuracy"]) for name, e in evaluations.items() if e]
    if not rows:
        return ""
    lines = ["| | loss | accuracy |", "|---|---:|---:|"]
    return "\n".join(
        lines + [f"| {name} | {loss:.4f} | {accuracy:.2%} |" for name, loss, accuracy in rows]
    )
