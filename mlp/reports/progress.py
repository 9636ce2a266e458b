"""The progress of a training: a moving bar on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from datetime import timedelta

from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from mlp.reports.terminal import number_table
from mlp.runs import metric_in_words
from mlp.training import EpochEnded, RunStarted

MAX_LINES = 100  # at most so many epochs get a line of their own when there is no terminal


class ProgressLines:
    """A line for each epoch; for every n-th of a long training."""

    def __init__(self, terminal: Terminal, start: RunStarted) -> None:
        self.terminal, self.max_epochs = terminal, start.max_epochs
        self.monitor = start.monitor

    def update(self, event: EpochEnded) -> None:
        """Write the epoch's line, if it has one."""
        every = -(-self.max_epochs // MAX_LINES)
        if event.epoch % every == 0 or event.epoch == 1:
            metrics = "  ".join(
                f"{name} {value}" for name, value in _shown(event.metrics, self.monitor).items()
            )
            line = f"epoch {event.epoch}/{self.max_epochs}  {metrics}  best {event.best_epoch}"
            self.terminal.print(line, soft_wrap=True)

    def stop(self) -> None:
        """Leave the lines where they are."""


class ProgressBar:
    """The metrics of the last and the best epoch, above a bar with the time that is left."""

    def __init__(self, terminal: Terminal, start: RunStarted) -> None:
        self.max_epochs, self.patience = start.max_epochs, start.patience
        self.monitor = start.monitor
        self.best: Mapping[str, str] = {}
        counter = TextColumn("epoch"), MofNCompleteColumn(), BarColumn(bar_width=30)
        self.bar = Progress(*counter, TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
        self.task = self.bar.add_task("", total=start.max_epochs, left="")
        self.live = Live(self.bar, console=terminal, refresh_per_second=8, transient=True)
        self.live.start()

    def update(self, event: EpochEnded) -> None:
        """Move the bar and show the new metrics."""
        metrics = _shown(event.metrics, self.monitor)
        if event.best_epoch == event.epoch:
            self.best = metrics
        last = min(event.best_epoch + (self.patience or self.max_epochs), self.max_epochs)
        left = event.elapsed / event.epoch * (last - event.epoch)
        self.bar.update(self.task, completed=event.epoch, left=f"about {clock(left)} left")
        table = number_table("", *metrics)
        table.add_row(f"epoch {event.epoch}", *metrics.values())
        table.add_row(f"best: {event.best_epoch}", *self.best.values())
        ends = Text(f"ends after epoch {last} unless {self.monitor} improves", "dim")
        self.live.update(Group(table, *[ends] * (last < self.max_epochs), self.bar))

    def stop(self) -> None:
        """Erase the bar and show the cursor again."""
        self.live.stop()


def _shown(metrics: Mapping[str, float], monitor: str | None) -> dict[str, str]:
    """Return the losses, the score that both parts have, and what is monitored."""
    in_training = [name.removeprefix("train/") for name in metrics if name.startswith("train/")]
    names = [f"{part}/{name}" for part in ("train", "val") for name in in_training]
    shown = [name for name in names if name in metrics and name != "train/penalty"]
    if monitor and monitor not in shown:
        shown.append(monitor)
    return {name: metric_in_words(name, metrics[name]) for name in shown}


def clock(seconds: float) -> str:
    """Return a duration as h:mm:ss."""
    return str(timedelta(seconds=round(seconds)))
