"""A sweep on the terminal: its plan, and the progress of its jobs.

On a terminal a bar moves below the lines that stay; elsewhere each job that ends is a line.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    track,
)
from rich.table import Table
from rich.text import Text

from mlp.reports import clock, wide_terminal
from mlp.runs import in_words, metric_in_words
from mlp.sweep.composer import PlannedJob
from mlp.sweep.plan import Plan
from mlp.sweep.watch import Watch
from mlp.sweep.worker import ChildResult
from mlp.training import higher_is_better

MANY_JOBS = 200  # take a while to check
MOST_JOBS = 100  # a dry run lists no more
MOST_VALUES = 20  # of an axis are listed
MOST_RUNNING = 8  # so many are named
REFRESHES = 2  # a second
WIDTH_OF_FIGURES = 40  # beside the name of a running job
STYLES = {"finished": "green", "pruned": "yellow", "failed": "red", "killed": "red"}


class SweepProgress:
    """Shows a sweep.

    Parameters
    ----------
    terminal : rich.console.Console, optional
        Standard output by default.
    """

    def __init__(self, terminal: Terminal | None = None) -> None:
        self.terminal = terminal or wide_terminal()
        self._counts: Counter[str] = Counter()
        self._running: dict[str, PlannedJob] = {}  # by key
        self._began: dict[str, float] = {}
        self._best: tuple[str, float] | None = None
        self._seconds = 0.0  # from the start of each job that has ended to its end
        self._at_once = 1
        self._left = ""  # an estimate of the time
        columns = BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, TextColumn("{task.fields[left]}"), console=self.terminal)

    def say(self, line: str, style: str = "") -> None:
        """Print a line that stays."""
        self.terminal.print(escape(line), style=style, soft_wrap=True)

    def waiting(self) -> None:
        """Say that the sweep cannot begin yet."""
        self.say("another process is running this sweep: this one waits for its end")

    def checking(self, combinations: Sequence[Any]) -> Iterable[Any]:
        """Yield the combinations of a grid, and show how many have been checked."""
        if self.terminal.is_terminal:
            return track(combinations, "checking", console=self.terminal, transient=True)
        if len(combinations) >= MANY_JOBS:
            self.say(f"checking {len(combinations)} combinations ...")
        return combinations

    def show_plan(self, plan: Plan, states: Mapping[str, str], where: str) -> None:
        """Print the plan.

        Parameters
        ----------
        plan : Plan
        states : mapping of str to str
            States of the jobs of an earlier start, by their keys.
        where : str
            The executor in a few words.
        """
        self._metric = plan.example.monitor
        self.terminal.print(f"[bold]{escape(plan.headline)}[/], {escape(where)}")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        for key, values in plan.axes.items():
            words = [in_words(value) for value in values]
            if len(words) > MOST_VALUES:
                words[MOST_VALUES - 2 : -1] = [f"... ({len(words)})"]
            table.add_row(f"[cyan]{escape(key)}[/]", escape("  ".join(words)))
        self.terminal.print(table)
        if plan.n_duplicates:
            self.say(f"{plan.n_duplicates} more would repeat one of these, and are left out")
        if counts := Counter(states.values()):
            known = ", ".join(f"{n} {name}" for name, n in counts.items())
            self.say(f"from an earlier start: {known}")
        self.terminal.print()

    def list_jobs(self, plan: Plan, states: Mapping[str, str]) -> None:
        """Print each job's name and its state, if it was started before."""
        for job in plan.jobs[:MOST_JOBS]:
            self.say(f"  {job.name}  {states.get(job.key, '')}".rstrip())
        if len(plan.jobs) > MOST_JOBS:
            self.say(f"  and {len(plan.jobs) - MOST_JOBS} more")

    @contextmanager
    def live(self, n_jobs: int, watch: Watch) -> Iterator[None]:
        """Show the progress.

        Parameters
        ----------
        n_jobs : int
            The number of jobs that are to be done, at most.
        watch : Watch
            Tells how far running jobs are.
        """
        self._task, self._watch = self._bar.add_task("", total=n_jobs, left=""), watch
        if not self.terminal.is_terminal:
            yield
            return
        with Live(
            get_renderable=self._screen,
            console=self.terminal,
            refresh_per_second=REFRESHES,
            transient=True,
        ):
            yield

    def started(self, job: PlannedJob) -> None:
        """Note that a job has started."""
        self._running[job.key], self._began[job.key] = job, perf_counter()
        self._at_once = max(self._at_once, len(self._running))

    def ended(self, job: PlannedJob, result: ChildResult, n_left: int) -> None:
        """Note that a job has ended, and print why if it has failed.

        Parameters
        ----------
        job : PlannedJob
        result : ChildResult
        n_left : int
            Jobs that have not ended, or not begun, at most: a search finds out as it goes.
        """
        del self._running[job.key]
        self._counts[result.state] += 1
        n_ended = self._counts.total()
        seconds = result.record.seconds if result.record else 0.0
        self._seconds += perf_counter() - self._began.pop(job.key)
        if result.state == "finished":
            self.consider(job.name, result.metrics)
        self._left = f"about {clock(n_left * self._seconds / n_ended / self._at_once)} left"
        self._bar.update(self._task, completed=n_ended, total=n_ended + n_left, left=self._left)
        if result.state in ("failed", "killed"):
            run = f" (run {result.record.id[:8]})" if result.record else ""
            self.say(f"{result.state}  {job.name}: {result.reason}{run}", "red")
        elif not self.terminal.is_terminal:
            value = result.metrics.get(self._metric)
            figures = result.reason if value is None else self._figure(value)
            line = f"{n_ended}/{n_ended + n_left}  {result.state}  {job.name}  {figures}"
            self.say(f"{line}  {seconds:.1f} s  {self._left}")

    def _figure(self, value: float) -> str:
        return f"{self._metric} {metric_in_words(self._metric, value)}"

    def consider(self, name: str, metrics: Mapping[str, float]) -> None:
        """Note a finished job as the best one so far, if it is; ``metrics`` are its best ones."""
        value = metrics.get(self._metric)
        if value is None:
            return
        sign = 1 if higher_is_better(self._metric) else -1
        if self._best is None or sign * value > sign * self._best[1]:
            self._best = name, value

    def _screen(self) -> Group:
        """Return what is shown below the lines that stay."""
        running = list(self._running.values())  # the main thread goes on meanwhile
        states = {name: n for name, n in {**self._counts, "running": len(running)}.items() if n}
        parts = [(f"{n} {name}  ", STYLES.get(name, "")) for name, n in states.items()]
        lines: list[Text | Table] = [Text.assemble(*parts), self._jobs(running[:MOST_RUNNING])]
        if not states:
            lines = [Text("starting the workers", "dim")]
        if hidden := len(running[MOST_RUNNING:]):
            lines.append(Text(f"  and {hidden} more", "dim"))
        if self._best:
            name, value = self._best
            best = Text.assemble("best so far  ", (self._figure(value), "bold"), f"  {name}")
            lines.append(_in_one_line(best, self.terminal.width))
        return Group(self._bar, *lines)

    def _jobs(self, jobs: Sequence[PlannedJob]) -> Table:
        """Return a table of running jobs with their last epochs."""
        epochs = self._watch.last_epochs([job.key for job in jobs])
        table = Table.grid(padding=(0, 2))
        for job in jobs:
            last, most = epochs.get(job.key, {}), job.config["trainer"]["max_epochs"]
            epoch = f"epoch {last['epoch']:.0f}/{most}" if last else "starting"
            value = self._figure(last[self._metric]) if self._metric in last else ""
            name = _in_one_line(Text(job.name), self.terminal.width - WIDTH_OF_FIGURES)
            table.add_row("", name, Text(epoch, "" if last else "dim"), value)
        return table


def _in_one_line(text: Text, width: int) -> Text:
    text.truncate(max(width, 10), overflow="ellipsis")
    return text
