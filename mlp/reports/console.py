"""A run on the terminal: its configuration, its plan, its progress, its result.

On a terminal a bar moves; elsewhere (a file, a pipe, a batch job) plain lines are written, without
any control characters.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from rich.columns import Columns
from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.reports.progress import Bar, Display, Lines, number_table
from mlp.training import (
    EpochEnded,
    Evaluation,
    Event,
    RunEnded,
    RunStarted,
    confusion_matrix,
    per_class,
)

WORDS = {"None": "null", "True": "true", "False": "false"}  # as in YAML
MOST_CLASSES = 20  # whose confusion matrix fits on a screen; the figure is drawn in any case


class Console:
    """Shows a run; as a listener of the training, its progress.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    file : text file, optional
        Where to write; standard output by default.
    """

    def __init__(self, quiet: bool = False, file: IO[str] | None = None) -> None:
        # without markup: brackets in a name or a message are only brackets
        self._terminal = Terminal(quiet=quiet, file=file, markup=False, highlight=False)
        self._display: Display | None = None

    def show_config(self, config: Mapping[str, Any]) -> None:
        """Print the composed configuration as a tree, a branch for each group."""
        tree = Tree(Text("configuration", "bold"), guide_style="dim")
        groups = {name: values for name, values in config.items() if _is_group(values)}
        for name, values in groups.items():
            target = values["_target_"].rpartition(".")[2]
            branch = tree.add(Text.assemble((name, "bold cyan"), f" {target}"))
            if keys := {key: value for key, value in values.items() if key != "_target_"}:
                branch.add(_pairs(keys))
        tree.add(_pairs({key: value for key, value in config.items() if key not in groups}))
        self._terminal.print(tree)
        self._terminal.print()

    def show_plan(self, dataset: Dataset, parts: Parts, network: Network) -> None:
        """Print what is about to be trained, and on what."""
        uses = {"train": parts.train, "validate": parts.val, "test": parts.test}
        facts = [f"{len(part):,} to {use}" for use, part in uses.items() if part]
        facts += [f"{dataset.n_in} features", f"{dataset.n_classes} classes"]
        line = Text.assemble((dataset.name, "bold"), "  ", " · ".join(facts))
        self._terminal.print(line, soft_wrap=True)
        table = number_table("layer", "parameters")
        for layer in network.layers:
            n = sum(getattr(layer, name).size for name in layer.shapes)
            table.add_row(str(layer), f"{n:,}" if n else "")
        table.add_row(type(network.loss).__name__)
        table.add_row("total", f"{network.params.size:,}", style="bold")
        self._terminal.print(table)
        self._terminal.print()

    @contextmanager
    def training(self) -> Iterator["Console"]:
        """Give back the terminal's cursor at the end, whatever happens in between."""
        try:
            yield self
        finally:
            if self._display:
                self._display.stop()

    def __call__(self, event: Event) -> None:
        """Show an event of the training; a terminal that was closed does not end it."""
        with suppress(OSError):
            self._show(event)

    def _show(self, event: Event) -> None:
        match event:
            case RunStarted():
                if event.history:
                    self._terminal.print(f"going on after epoch {len(event.history)}")
                moving = self._terminal.is_terminal and not self._terminal.quiet
                kind = Bar if moving else Lines
                self._display = kind(self._terminal, event)
            case EpochEnded() if self._display:
                self._display.update(event)
            case RunEnded() if self._display:
                self._display.stop()

    def show_result(self, record: Mapping[str, Any], folder: Path) -> None:
        """Print how the run ended, and where its results are.

        Parameters
        ----------
        record : mapping
            The content of ``run.json``.
        folder : Path
            The run's folder.
        """
        style = "bold green" if record["status"] == "FINISHED" else "bold red"
        end = f" after {record['epochs']} epochs, {record['seconds']:.1f} s"
        end += f": {record['stop_reason']}" if record["stop_reason"] else ""
        self._terminal.print(Text.assemble((record["status"], style), end), soft_wrap=True)
        results = _results(record)
        if results.rows:
            self._terminal.print(results)
        self._terminal.print()
        self._show_places(
            {
                "run": record["name"],
                "folder": _near(folder),
                "traceback": "traceback.txt" if (folder / "traceback.txt").exists() else None,
                "evaluate": _evaluation(record, folder),
                "go on": _resumption(record),
                "MLflow": _in_mlflow(record),
            }
        )

    def show_evaluation(
        self, run: str, data: str, evaluation: Evaluation, classes: Sequence[str], figures: Path
    ) -> None:
        """Print loss and accuracy, the figures of each class, and which was taken for which."""
        n = f"{len(evaluation.labels):,} examples"
        facts = f"  loss {evaluation.loss:.6g} · accuracy {evaluation.accuracy:.2%} · {n}"
        self._terminal.print(Text.assemble((f"{run} on {data}", "bold"), facts), soft_wrap=True)
        counts = confusion_matrix(evaluation.labels, evaluation.predictions, len(classes))
        names = [name if name == str(i) else f"{i} {name}" for i, name in enumerate(classes)]
        tables = [_figures_by_class(counts, names)]
        if len(classes) <= MOST_CLASSES:
            tables.append(_confusion(counts, names))
        for table in tables:
            self._terminal.print()
            self._terminal.print(table)
        self._terminal.print()
        self._show_places({"figures": _near(figures)})

    def _show_places(self, places: Mapping[str, str | None]) -> None:
        for name, place in places.items():
            if place:
                line = Text.assemble((f"{name:10}", "dim"), place)
                self._terminal.print(line, soft_wrap=True)


def _evaluation(record: Mapping[str, Any], folder: Path) -> str | None:
    """Return how to evaluate a run whose weights are in its folder."""
    stored = (folder / "weights").exists()
    return f"python -m mlp.evaluate {record['id'][:8]}" if stored else None


def _resumption(record: Mapping[str, Any]) -> str | None:
    """Return how an interrupted run goes on; those of a sweep do by the sweep's own line."""
    interrupted = record["status"] == "KILLED" and not record.get("sweep")
    return f"python -m mlp.run resume={record['id'][:8]}" if interrupted else None


def _in_mlflow(record: Mapping[str, Any]) -> str | None:
    """Return where MLflow shows a run, or how to bring it there."""
    place = record["mlflow"]
    if place is None:
        return None
    if not place["delivered"]:
        return f"not all there yet: python -m mlp.sync {record['id'][:8]}"
    server = place["tracking_uri"]
    return server if server.startswith("http") else "make ui"


def _is_group(values: Any) -> bool:
    return isinstance(values, Mapping) and "_target_" in values


def _pairs(values: Mapping[str, Any]) -> Columns:
    """Return keys with their values, as many side by side as the width allows."""
    pairs = [
        Text.assemble((f"{key} ", "dim"), WORDS.get(str(value), str(value)))
        for key, value in values.items()
    ]
    return Columns(pairs, padding=(0, 3))


def _results(record: Mapping[str, Any]) -> Table:
    """Return loss and accuracy on each part of the data, with the best epoch's weights."""
    best, test = record["best"] or {}, record["test"] or {}
    figures = best | {f"test/{name}": value for name, value in test.items()}
    table = number_table(f"epoch {best['epoch']}" if best else "", "loss", "accuracy")
    for part in ("train", "val", "test"):
        if f"{part}/loss" in figures:
            loss, accuracy = figures[f"{part}/loss"], figures[f"{part}/accuracy"]
            table.add_row(part, f"{loss:.4f}", f"{accuracy:.2%}")
    return table


def _figures_by_class(counts: np.ndarray, names: Sequence[str]) -> Table:
    table = number_table("class", "precision", "recall", "F1", "examples")
    by_class = per_class(counts)
    columns = by_class.precision, by_class.recall, by_class.f1, by_class.support
    for name, *figures, support in zip(names, *columns, strict=True):
        table.add_row(name, *(f"{figure:.4f}" for figure in figures), f"{support:,}")
    return table


def _confusion(counts: np.ndarray, names: Sequence[str]) -> Table:
    """Return a table in which the mistakes are to be seen."""
    table = number_table("true, and taken for", *(str(i) for i in range(len(names))))
    for i, row in enumerate(counts):
        styles = ["green" if j == i else "bold" if n else "dim" for j, n in enumerate(row)]
        cells = [Text(f"{n:,}" if n else "·", style) for n, style in zip(row, styles, strict=True)]
        table.add_row(names[i], *cells)
    return table


def _near(path: Path) -> str:
    """Return a path from the current folder on, if it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
