"""A run on the terminal: its configuration, its plan, its progress, its result.

On a terminal a bar moves; elsewhere (a file, a pipe, a batch job) plain lines are written, without
any control characters.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.columns import Columns
from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.training import (
    EpochEnded,
    Evaluation,
    Event,
    RunEnded,
    RunStarted,
    confusion_matrix,
    per_class,
)

SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
WORDS = {"None": "null", "True": "true", "False": "false"}  # as in YAML
MOST_CLASSES = 20  # whose confusion matrix fits on a screen; the figure is drawn in any case
PLAIN_LINES = 100  # at most so many epochs get a line of their own when there is no terminal


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
        self._progress: _Progress | None = None

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
        table = _table("layer", "parameters")
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
            if self._progress:
                self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event of the training."""
        match event:
            case RunStarted():
                moving = self._terminal.is_terminal and not self._terminal.quiet
                kind = _Bar if moving else _Lines
                self._progress = kind(self._terminal, event)
            case EpochEnded() if self._progress:
                self._progress.update(event)
            case RunEnded() if self._progress:
                self._progress.stop()

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
        if results.row_count:
            self._terminal.print(results)
        near = folder.is_relative_to(Path.cwd())
        places = {
            "run": record["name"],
            "folder": folder.relative_to(Path.cwd()) if near else folder,
            "traceback": "traceback.txt" if (folder / "traceback.txt").exists() else None,
            "evaluate": f"python -m mlp.evaluate {record['id'][:8]}" if results.row_count else None,
            "MLflow": "make ui" if record["mlflow"] else None,
        }
        self._terminal.print()
        for name, place in places.items():
            if place:
                line = Text.assemble((f"{name:10}", "dim"), str(place))
                self._terminal.print(line, soft_wrap=True)

    def show_evaluation(self, evaluation: Evaluation, classes: Sequence[str]) -> None:
        """Print loss and accuracy, the figures of each class, and which was taken for which."""
        n = len(evaluation.labels)
        self._terminal.print(
            f"loss {evaluation.loss:.6g} · accuracy {evaluation.accuracy:.4%} · {n:,} examples\n",
            soft_wrap=True,
        )
        counts = confusion_matrix(evaluation.labels, evaluation.predictions, len(classes))
        figures = per_class(counts)
        names = [name if name == str(i) else f"{i} {name}" for i, name in enumerate(classes)]
        table = _table("class", "precision", "recall", "F1", "examples")
        for name, *row, support in zip(
            names, figures.precision, figures.recall, figures.f1, figures.support, strict=True
        ):
            table.add_row(name, *(f"{value:.4f}" for value in row), f"{support:,}")
        self._terminal.print(table)
        self._terminal.print()
        if len(classes) <= MOST_CLASSES:
            table = _table("true, and taken for", *(str(i) for i in range(len(classes))))
            for i, row in enumerate(counts):
                table.add_row(names[i], *(_count(n, i == j) for j, n in enumerate(row)))
            self._terminal.print(table)
            self._terminal.print()


class _Progress:
    """Progress of a training."""

    def __init__(self, terminal: Terminal, start: RunStarted) -> None:
        self.terminal, self.start = terminal, start

    def update(self, event: EpochEnded) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """Leave the terminal as it was found."""


class _Lines(_Progress):
    """A line an epoch, fewer in a long training."""

    def update(self, event: EpochEnded) -> None:
        every = -(-self.start.max_epochs // PLAIN_LINES)
        if event.epoch % every and event.epoch > 1:
            return
        figures = "  ".join(f"{name} {event.metrics[name]:.4f}" for name in _shown(event.metrics))
        self.terminal.print(
            f"epoch {event.epoch}/{self.start.max_epochs}  {figures}  best {event.best_epoch}",
            soft_wrap=True,
        )


class _Bar(_Progress):
    """A bar, the time that is left at most, and the figures of the last and of the best epoch."""

    def __init__(self, terminal: Terminal, start: RunStarted) -> None:
        super().__init__(terminal, start)
        self.best: Mapping[str, float] = {}
        self.bar = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self.task = self.bar.add_task("", total=start.max_epochs, left="")
        self.live = Live(self.bar, console=terminal, refresh_per_second=8, transient=True)
        self.live.start()

    def update(self, event: EpochEnded) -> None:
        if event.best_epoch == event.epoch:
            self.best = event.metrics
        left = event.elapsed / event.epoch * (self.start.max_epochs - event.epoch)
        self.bar.update(self.task, completed=event.epoch, left=f"at most {_clock(left)} left")
        self.live.update(Group(self._figures(event), self.bar))

    def _figures(self, event: EpochEnded) -> RenderableType:
        names = _shown(event.metrics)
        table = _table("", *names)
        rows = {f"epoch {event.epoch}": event.metrics, f"best: {event.best_epoch}": self.best}
        for label, metrics in rows.items():
            table.add_row(label, *(f"{metrics[name]:.4f}" for name in names))
        if not self.start.patience:
            return table
        waited = f"{event.epoch - event.best_epoch} epochs since the best"
        return Group(table, Text(f"{waited}, patience {self.start.patience}", style="dim"))

    def stop(self) -> None:
        self.live.stop()


def _is_group(values: Any) -> bool:
    return isinstance(values, Mapping) and "_target_" in values


def _pairs(values: Mapping[str, Any]) -> Columns:
    """Keys with their values, as many side by side as the width allows."""
    pairs = [
        Text.assemble((f"{key} ", "dim"), WORDS.get(str(value), str(value)))
        for key, value in values.items()
    ]
    return Columns(pairs, padding=(0, 3))


def _table(first: str, *others: str) -> Table:
    """Return a table of names on the left and numbers on the right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    for header in others:
        table.add_column(header, justify="right")
    return table


def _shown(metrics: Mapping[str, float]) -> list[str]:
    return [name for name in SHOWN if name in metrics]


def _results(record: Mapping[str, Any]) -> Table:
    """Loss and accuracy on each part of the data, with the best epoch's weights."""
    best = record["best"] or {}
    rows = {
        part: (best.get(f"{part}/loss"), best.get(f"{part}/accuracy")) for part in ("train", "val")
    }
    test = record["test"] or {}
    rows["test"] = (test.get("loss"), test.get("accuracy"))
    table = _table(f"epoch {best['epoch']}" if best else "", "loss", "accuracy")
    for part, (loss, accuracy) in rows.items():
        if loss is not None:
            table.add_row(part, f"{loss:.4f}", f"{accuracy:.2%}")
    return table


def _count(n: int, right: bool) -> Text:
    """Return a cell of a confusion matrix: the mistakes are to be seen."""
    return Text(f"{n:,}" if n else "·", "green" if right else "bold" if n else "dim")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
