"""A sweep on the terminal: its plan, and the progress of its jobs.

On a terminal a bar moves below the lines that stay; elsewhere each job that ends is a line.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, track
from rich.table import Table

from mlp.reports import clock, wide_terminal
from mlp.runs import in_words, metric_in_words
from mlp.sweep.composer import PlannedJob
from mlp.sweep.plan import Plan
from mlp.sweep.worker import ChildResult
from mlp.training import higher_is_better

MANY_JOBS = 200  # take a while to check
MOST_JOBS = 100  # a dry run lists no more
MOST_VALUES = 20  # of an axis are listed
MOST_RUNNING = 6  # so many are named
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
        self._running: dict[str, str] = {}  # names by key
        self._best: tuple[str, float] | None = None
        self._seconds = 0.0  # of the jobs that have ended
        self._at_once = 1
        self._left = ""  # an estimate of the time
        columns = BarColumn(30), MofNCompleteColumn(), TextColumn("{task.description}")
        hidden = not self.terminal.is_terminal
        self._bar = Progress(*columns, console=self.terminal, transient=True, disable=hidden)

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

    def live(self, n_jobs: int) -> Progress:
        """Show the progress; ``n_jobs`` is the number of jobs that are to be done, at most."""
        self._task = self._bar.add_task("", total=n_jobs)
        return self._bar

    def started(self, job: PlannedJob) -> None:
        """Note that a job has started."""
        self._running[job.key] = job.name
        self._at_once = max(self._at_once, len(self._running))
        self._bar.update(self._task, description=self._status())

    def ended(self, job: PlannedJob, result: ChildResult, n_left: int) -> None:
        """Note that a job has ended, and print why if it has failed.

        Parameters
        ----------
        job : PlannedJob
        result : ChildResult
        n_left : int
            Jobs that have not ended, or not begun, at most: a search finds out as it goes.
        """
        self._running.pop(job.key, None)
        self._counts[result.state] += 1
        n_ended = self._counts.total()
        seconds = result.record.seconds if result.record else 0.0
        self._seconds += seconds
        if result.state == "finished":
            self.consider(job.name, result.metrics)
        self._left = f"about {clock(n_left * self._seconds / n_ended / self._at_once)} left"
        status = self._status()
        self._bar.update(self._task, completed=n_ended, total=n_ended + n_left, description=status)
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

    def _status(self) -> str:
        """Return what stands beside and below the bar."""
        states = {**self._counts, "running": len(self._running)}
        words = [f"[{STYLES.get(name, 'default')}]{n} {name}[/]" for name, n in states.items() if n]
        lines = ["  ".join([*words, f"[dim]{self._left}[/]"])]
        if self._running:
            names = [*self._running.values()][:MOST_RUNNING]
            more = f"  and {n} more" if (n := len(self._running) - len(names)) else ""
            lines.append(f"[dim]running  {escape('  ·  '.join(names))}{more}[/]")
        if self._best:
            name, value = self._best
            lines.append(f"best so far  [bold]{self._figure(value)}[/]  {escape(name)}")
        return "\n".join(lines)
