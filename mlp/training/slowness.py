"""Notices when a training waits for the machine instead of computing."""

from collections.abc import Callable
from time import perf_counter, process_time

from mlp.training.events import EpochEnded, Event, RunStarted

FEWEST_EPOCHS, SHORTEST = 3, 5.0  # epochs and seconds that are judged together
FACTOR = 3.0  # times the processor's time, from which on it is said


class SlownessWarning:
    """A listener that says once that epochs take far longer than what they compute.

    Parameters
    ----------
    report : callable
        Told the sentence.
    threads : int or None
        Of the BLAS library, if known: several that share busy processors wait for each other.
    clock, processor_clock : callable
        Return seconds: those that pass, and those for which this process computes.
    """

    def __init__(
        self,
        report: Callable[[str], None],
        threads: int | None,
        clock: Callable[[], float] = perf_counter,
        processor_clock: Callable[[], float] = process_time,
    ) -> None:
        self._report, self._threads = report, threads
        self._clock, self._processor_clock = clock, processor_clock
        self._told = False

    def __call__(self, event: Event) -> None:
        """Compare the clocks after some epochs."""
        if isinstance(event, RunStarted):
            self._begin()
        elif isinstance(event, EpochEnded) and not self._told:
            self._n_epochs += 1
            passed = self._clock() - self._since
            if self._n_epochs >= FEWEST_EPOCHS and passed >= SHORTEST:
                self._judge(passed, self._processor_clock() - self._computed)
                self._begin()

    def _begin(self) -> None:
        self._n_epochs = 0
        self._since, self._computed = self._clock(), self._processor_clock()

    def _judge(self, passed: float, computed: float) -> None:
        if passed <= FACTOR * computed:
            return
        self._told = True
        sentence = (
            f"epochs take {passed / max(computed, 1e-3):.1f} times their computing time: other "
            "programs keep the processors busy, or the data come from a slow disk"
        )
        if self._threads and self._threads > 1:
            sentence += f"; with threads=1 instead of {self._threads} they may well be faster"
        self._report(sentence)
