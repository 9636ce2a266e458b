"""A run on the terminal: its configuration, its plan, its progress, its result.

Where there is no terminal (a file, a pipe, a batch job) there are no control characters.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from mlp import training
from mlp.base import counted, relative
from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.reports.progress import ProgressBar, ProgressLines
from mlp.reports.terminal import fits, number_table, print_text, show_places, wide_terminal
from mlp.runs import (
    USUAL,
    RunFolder,
    RunRecord,
    findings_in_words,
    metric_in_words,
    results_in_words,
    verdict_in_words,
)
from mlp.tracking import address_of, is_remote, uri_of
from mlp.training import EpochEnded, Evaluation, Event, RunStarted

WORDS = {"None": "null", "True": "true", "False": "false"}  # as in YAML
MAX_CLASSES = 20, 10, 5  # whose confusion matrix is shown, if it fits on the screen


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
        # without markup, brackets in a name or a message are printed as they are
        self._terminal = wide_terminal(quiet=quiet, file=file, markup=False)
        self.quiet = quiet
        self._progress: ProgressBar | ProgressLines | None = None

    def show_config(self, config: Mapping[str, Any], unusual: Collection[str]) -> None:
        """Print what a configuration asks for, and dim beside it what is usual.

        Parameters
        ----------
        config : mapping
            The composed configuration.
        unusual : collection of str
            The dotted keys that differ from the defaults; a group stands for its class. Of the
            others, only a few are shown.
        """
        table = Table.grid(padding=(0, 2, 0, 0))
        callbacks = {f"callbacks.{name}": v for name, v in config.get("callbacks", {}).items() if v}
        groups = {k: v for k, v in config.items() if isinstance(v, Mapping) and "_target_" in v}
        for group, node in (groups | callbacks).items():
            keys = {key: value for key, value in node.items() if key != "_target_"}
            pairs = _pairs(f"{group}.", keys, unusual)
            if pairs or group in unusual:
                name = node["_target_"].rpartition(".")[2]
                style = "bold" if group in unusual else "dim"
                table.add_row(Text(group, "cyan"), Text(name, style), self._side_by_side(pairs))
        others = {key: value for key, value in config.items() if key not in (*groups, "callbacks")}
        table.add_row("", "", self._side_by_side(_pairs("", others, unusual)))
        self._terminal.print(table)
        self.announce("All other keys have their defaults.", "dim")
        self._terminal.print()

    def _side_by_side(self, texts: Sequence[Text]) -> Columns | Text:
        """Return texts in a line; on a terminal in as many as they need, one below the other."""
        if self._terminal.is_terminal:
            return Columns(texts, padding=(0, 3))
        return Text("   ").join(texts)

    def show_plan(self, dataset: Dataset, parts: Parts, network: Network, batch_size: int) -> None:
        """Print what is about to be trained, and on what."""
        uses = {"train": parts.train, "validate": parts.val, "test": parts.test}
        facts = [f"{len(part):,} to {use}" for use, part in uses.items() if part]
        targets = f"{dataset.n_classes} classes" if dataset.classes else ", ".join(dataset.targets)
        features = f"{dataset.n_in} features"
        if parts.n_in != dataset.n_in:
            features = f"{dataset.n_in} columns in {parts.n_in} inputs"
        facts += [features, targets]
        line = Text.assemble((dataset.name, "bold"), "  ", " · ".join(facts))
        print_text(line, self._terminal)
        if batch_size > len(parts.train):
            self.announce(f"batch_size={batch_size} is cut to these {len(parts.train)}")
        table = number_table("layer", "parameters")
        for layer in network.layers:
            n = sum(getattr(layer, name).size for name in layer.shapes)
            table.add_row(str(layer), f"{n:,}" if n else "")
        table.add_row(str(network.loss))
        table.add_row("total", f"{network.params.size:,}", style="bold")
        self._terminal.print(table)
        self._terminal.print()

    def announce(self, sentence: str, style: str = "") -> None:
        """Print what is done next, or is to be known."""
        print_text(Text(sentence, style), self._terminal)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Restore the terminal's cursor at the end, whatever happens."""
        try:
            yield
        finally:
            if self._progress:
                self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event of the training; a terminal that was closed does not end it."""
        with suppress(OSError):
            match event:
                case RunStarted():
                    if event.history:
                        self._terminal.print(f"resuming after epoch {len(event.history)}")
                    moving = self._terminal.is_terminal and not self._terminal.quiet
                    kind = ProgressBar if moving else ProgressLines
                    self._progress = kind(self._terminal, event)
                case EpochEnded() if self._progress:
                    self._progress.update(event)

    def show_result(self, record: RunRecord, folder: Path) -> None:
        """Print how the run ended, and where its results are.

        Parameters
        ----------
        record : RunRecord
        folder : Path
            The run's folder.
        """
        style = "bold green" if record.status == "FINISHED" else "bold red"
        end = f" after {counted(record.epochs, 'epoch')}, {record.seconds:.1f} s"
        if record.status != "FAILED" and record.stop_reason:  # an error is said at the very end
            end += f": {record.stop_reason}"
        print_text(Text.assemble((record.status, style), end), self._terminal)
        if (results := _results(record)).rows:
            self._terminal.print(results)
        if verdict := verdict_in_words(record):
            self.announce(verdict, "bold")
        for sentence in findings_in_words(record):
            self.announce(sentence, "yellow" if record.findings else "green")
        self._terminal.print()
        self.show_places(record, folder)

    def show_places(self, record: RunRecord, folder: Path) -> None:
        """Print where a run's results are, and how it goes on; as `show_result`."""
        short, places = record.id[:8], {"run": record.name, "folder": str(relative(folder))}
        if (folder / "traceback.txt").exists():
            places["traceback"] = "traceback.txt"
        if (folder / "weights").exists():
            places["evaluate"] = f"mlp evaluate {short}"
        if record.status == "KILLED" and not record.sweep:  # a sweep continues its own
            places["resume"] = f"mlp run resume={short}"
        if record.tracking:
            uri = uri_of(record.tracking)
            address = address_of(record, RunFolder(folder)) or (uri if is_remote(uri) else None)
            places["MLflow"] = address or f"mlp ui {short}"
        show_places(places, self._terminal)

    def show_evaluation(
        self, run: str, data: str, evaluation: Evaluation, classes: Sequence[str], figures: Path
    ) -> None:
        """Print the metrics and, of classes, precision and recall and their confusion.

        Of many classes, the most confused ones are shown.
        """
        n = counted(len(evaluation.labels), "example")
        metrics = [f"{k} {metric_in_words(k, value)}" for k, value in evaluation.metrics.items()]
        facts = "  " + " · ".join([*metrics, n])
        print_text(Text.assemble((f"{run} on {data}", "bold"), facts), self._terminal)
        if not classes:
            return
        outcome = evaluation.labels, evaluation.predictions, len(classes)
        for most in MAX_CLASSES:
            shown, counts = training.most_confused(*outcome, most)
            names = [f"{i} {classes[i]}" if classes[i] != str(i) else str(i) for i in shown]
            confusion = _confusion(counts, shown, names)
            if not fits(confusion, self._terminal):  # the table above tells the names
                confusion = _confusion(counts, shown, list(map(str, shown)))
            if fits(confusion, self._terminal):
                break
        by_class = _by_class(training.per_class(*outcome), shown, names)
        self._terminal.print("", by_class, "", confusion)
        if len(shown) < len(classes):
            self._terminal.print(f"the {len(shown)} most confused of {len(classes):,} classes")
        self._terminal.print()
        show_places({"figures": str(relative(figures))}, self._terminal)


class ProgressConsole(Console):
    """Shows the progress of a training, and nothing else of the run."""

    def show_config(self, config: Mapping[str, Any], unusual: Collection[str]) -> None:
        """Print nothing."""

    def show_plan(self, dataset: Dataset, parts: Parts, network: Network, batch_size: int) -> None:
        """Print nothing."""

    def show_result(self, record: RunRecord, folder: Path) -> None:
        """Print nothing."""


def _pairs(prefix: str, values: Mapping[str, Any], unusual: Collection[str]) -> list[Text]:
    """Return the keys that are unusual or always shown, with their values."""
    return [
        Text.assemble(
            (f"{key} ", "dim"),
            (_in_yaml(value), "bold" if f"{prefix}{key}" in unusual else "dim"),
        )
        for key, value in values.items()
        if f"{prefix}{key}" in {*unusual, *USUAL}
    ]


def _in_yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_in_yaml(item)}" for key, item in value.items())
    return WORDS.get(str(value), str(value))


def _results(record: RunRecord) -> Table:
    """Return the metrics on each part of the data, with the best epoch's weights."""
    header, *rows = results_in_words(record)
    table = number_table(*header)
    for row in rows:
        table.add_row(*row)
    return table


def _by_class(scores: training.ClassFigures, shown: Iterable[int], names: Sequence[str]) -> Table:
    table = number_table("class", "precision", "recall", "F1", "examples")
    for name, i in zip(names, shown, strict=True):
        shares = scores.precision[i], scores.recall[i], scores.f1[i]
        table.add_row(name, *(f"{share:.4f}" for share in shares), f"{scores.support[i]:,}")
    return table


def _confusion(counts: np.ndarray, shown: Iterable[int], names: Sequence[str]) -> Table:
    """Return a table in which the mistakes stand out."""
    table = number_table("true \\ predicted", *map(str, shown))
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        styles = ["green" if j == i else "bold" if n else "dim" for j, n in enumerate(row)]
        cells = [Text(f"{n:,}" if n else "·", style) for n, style in zip(row, styles, strict=True)]
        table.add_row(name, *cells)
    return table
