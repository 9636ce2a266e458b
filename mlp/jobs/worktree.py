"""Train with the code of another commit."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlp import runs
from mlp.base import RunError, data_dir, project_root
from mlp.runs import RunFolder, RunRecord

SCRIPT = Path(__file__).with_name("repetition.py")


def repeat_at_commit(folder: RunFolder, record: RunRecord, plan: Mapping[str, Any]) -> None:
    """Train with the code that a run was made with, in a process of its own.

    Parameters
    ----------
    folder : RunFolder
    record : RunRecord
    plan : mapping
        The arguments of `repeat`.

    Raises
    ------
    RunError
        When the commit or its uncommitted changes cannot be had, or that code cannot do it.
    """
    git = record.provenance.git
    if git is None or not re.fullmatch("[0-9a-f]{40,64}", git.commit):
        raise RunError(f"the code of {record.name} was in no git checkout: there is no commit")
    with _worktree(git.commit) as tree:
        if patch := runs.code_of_run(folder).diff.patch:
            _git("apply", "--index", "--whitespace=nowarn", "-", cwd=tree, input=patch)
        others = os.environ.get("PYTHONPATH", "")
        path = os.pathsep.join(filter(None, [str(tree), others, os.getcwd()]))
        done = subprocess.run(
            [sys.executable, "-P", str(SCRIPT)],
            input=json.dumps(plan),
            env=os.environ | {"PYTHONPATH": path},
            stderr=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        raise RunError(f"the code of commit {git.commit[:10]} cannot repeat it: {_last(done)}")


@contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    """Check a commit out beside this code, with the same downloaded data."""
    with TemporaryDirectory(prefix="mlp-commit-") as place:
        tree = Path(place, "mlp")
        try:
            _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        except RunError as error:
            where = f"commit {commit} cannot be checked out in {project_root()}"
            raise RunError(f"{where} ({error}): git fetch may bring it") from None
        try:
            (tree / "data").mkdir(exist_ok=True)
            for file in data_dir().iterdir() if data_dir().exists() else ():
                if not (tree / "data" / file.name).exists():
                    (tree / "data" / file.name).symlink_to(file)
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str, cwd: Path | None = None, input: str | None = None) -> None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or project_root(),
            input=input,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise RunError(f"git cannot be started: {error.strerror}") from None
    if done.returncode:
        raise RunError(f"git {arguments[0]} failed: {_last(done)}")


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line of what a process said on stderr."""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
