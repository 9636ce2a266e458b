"""Opening a run that is made of others: their weights are in it, and it needs none of them."""

import os
import shlex
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from mlp.runs.folder import RunFolder, write_run
from mlp.runs.lock import this_process
from mlp.runs.opening import make_runs_dir, opening_lock
from mlp.runs.provenance import collect_provenance
from mlp.runs.record import RunRecord, Tracking
from mlp.runs.recorder import Recorder
from mlp.training import Ensemble


def open_ensemble(
    tracking: Tracking | None,
    members: Sequence[RunFolder],
    records: Sequence[RunRecord],
    name: str | None = None,
) -> Recorder:
    """Open a run that is made of others, with their weights and the first one's configuration.

    Parameters
    ----------
    tracking : Tracking or None
    members : sequence of RunFolder
    records : sequence of RunRecord
        Theirs.
    name : str, optional

    Raises
    ------
    RunError
        When the runs' folder cannot be written.
    """
    own, first, ids = uuid4().hex, records[0], [record.id for record in records]
    model = {
        "layers": [f"the mean of {len(records)} networks"],
        "loss": " and ".join(sorted({record.model.loss for record in records})),
        "n_parameters": sum(record.model.n_parameters for record in records),
    }
    values = {
        "id": own,
        "name": name or f"ensemble-{own[:8]}",
        "members": ids,
        "started": datetime.now(UTC),
        "command": shlex.join(["mlp", "ensemble", *ids]),
        "monitor": first.monitor,
        "limited": any(record.limited for record in records),
        "model": model,
        "data": first.data,
        "provenance": collect_provenance(),
        "process": this_process(),
        "tracking": tracking,
        "code": {name: cls for record in records for name, cls in record.code.items()},
    }
    record, folder = RunRecord.of(values), RunFolder.of(own)
    make_runs_dir()
    with opening_lock(folder, new=True) as lock:
        names = [str(number) for number in range(1, len(members) + 1)]
        for name, member in zip(names, members, strict=True):
            _copy(member.weights, folder.weights / name)
            _copy(member.code, folder.code)
        Ensemble.describe(folder.weights, names)
        for file in ("config.yaml", "example.npy"):
            _link_or_copy(members[0].path / file, folder.path / file)
        write_run(folder, record)
        return Recorder(folder, lock)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, if there is one, into another."""
    if source.exists():
        shutil.copytree(source, target, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(source: Path | str, target: Path | str) -> None:
    """Give a file a second name; a file of a run is replaced and not changed."""
    if os.path.exists(target):
        return
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
