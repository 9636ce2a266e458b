"""A training while it goes on: a moving bar on a terminal, plain lines elsewhere."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from mlp.training import EpochEnded, RunStarted

SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
PLAIN_LINES = 100  # at most so many epochs get a line of their own when there is no terminal


class Display(ABC):
    """Shows the epochs of a training."""

    def __init__(self, terminal: Terminal, start: RunStarted) -> None:
        self.terminal, self.start = terminal, start

    @abstractmethod
    def update(self, event: EpochEnded) -> None:
        """Show an epoch that has ended."""

    def stop(self) -> None:
        """Leave the terminal as it was found."""


class Lines(Display):
    """A line an epoch, fewer in a long training."""

    def update(self, event: EpochEnded) -> None:
        """Write a line, if it is this epoch's turn."""
        every = -(-self.start.max_epochs // PLAIN_LINES)
        if event.epoch % every and event.epoch > 1:
            return
        figures = "  ".join(f"{name} {event.metrics[name]:.4f}" for name in _shown(event.metrics))
        self.terminal.print(
            f"epoch {event.epoch}/{self.start.max_epochs}  {figures}  best {event.best_epoch}",
            soft_wrap=True,
        )


class Bar(Display):
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
        """Move the bar and renew the figures."""
        if event.best_epoch == event.epoch:
            self.best = event.metrics
        left = event.elapsed / event.epoch * (self.start.max_epochs - event.epoch)
        self.bar.update(self.task, completed=event.epoch, left=f"at most {clock(left)} left")
        self.live.update(Group(self._figures(event), self.bar))

    def _figures(self, event: EpochEnded) -> RenderableType:
        names = _shown(event.metrics)
        table = number_table("", *names)
        rows = {f"epoch {event.epoch}": event.metrics, f"best: {event.best_epoch}": self.best}
        for label, metrics in rows.items():
            table.add_row(label, *(f"{metrics[name]:.4f}" for name in names))
        if not self.start.patience:
            return table
        waited = f"{event.epoch - event.best_epoch} epochs since the best"
        return Group(table, Text(f"{waited}, patience {self.start.patience}", style="dim"))

    def stop(self) -> None:
        """Wipe the bar away and give back the cursor."""
        self.live.stop()


def number_table(first: str, *others: str) -> Table:
    """Return a table of names on the left and numbers on the right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    for header in others:
        table.add_column(header, justify="right")
    return table


def _shown(metrics: Mapping[str, float]) -> list[str]:
    return [name for name in SHOWN if name in metrics]


def clock(seconds: float) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
