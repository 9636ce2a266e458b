"""How far the running jobs of a sweep are, as the histories in their runs' folders say.

That costs the workers nothing, and works for every executor that shares this machine's disk.
"""

import os
from collections.abc import Iterable

from mlp.base import RunError, runs_dir
from mlp.runs import Children, RunFolder, read_last_epoch, read_training


class Watch:
    """Finds the runs of jobs that have been started since it was made, and reads their histories.

    Parameters
    ----------
    children : Children
        Those of earlier starts, which may be continued.
    """

    def __init__(self, children: Children) -> None:
        self._parent = children.parent
        self._others = set(os.listdir(runs_dir()))
        self._runs = {key: record.id for key, record in children.by_key().items()}

    def last_epochs(self, keys: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return the metrics of each job's last epoch, with its number; {} where there is none.

        Parameters
        ----------
        keys : iterable of str
            Of the jobs.
        """
        self._look_for_runs()
        known = {key: self._runs[key] for key in keys if key in self._runs}
        return {key: read_last_epoch(RunFolder.of(run)) for key, run in known.items()}

    def _look_for_runs(self) -> None:
        for name in set(os.listdir(runs_dir())) - self._others:
            try:
                record = read_training(RunFolder.of(name))
            except RunError:
                continue  # no run, or one that is just being made
            self._others.add(name)
            if record.sweep and record.sweep.parent == self._parent:
                self._runs[record.sweep.key] = record.id
