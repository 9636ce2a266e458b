"""The git checkout that the code runs from: its commit, and what it holds beyond that."""

import re
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mlp.runs.origin import Git
from mlp.runs.own_code import digest_of

CHECKOUT = Path(__file__).resolve().parent.parent.parent
NOTE = re.compile(r"# untracked(?: (?P<digest>[0-9a-f]{64}))?: (?P<name>[^\n]*)\n")  # in a diff
MOST_HASHED, LARGEST = 1000, 1 << 20  # untracked files, and bytes of one


def git_state() -> Git | None:
    """Return commit, branch and dirtiness of the checkout this very code runs from, or None."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    return Git(
        commit=commit.strip(),
        branch=(_git("rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        dirty=bool((_git("status", "--porcelain") or "").strip()),
    )


class Checkout(NamedTuple):
    """The state of the code's checkout, and its changes if it is dirty."""

    git: Git | None
    diff: str


def read_checkout() -> Checkout:
    """Return the checkout as it is now."""
    git = git_state()
    return Checkout(git, git_diff() if git and git.dirty else "")


@cache
def checkout_of_sweep(parent: str) -> Checkout:
    """Return the checkout when this process began with a sweep: its code stays what it was then."""
    return read_checkout()


def git_diff() -> str:
    """Return the checkout's tracked changes beyond its commit, and which files are untracked.

    Of the Python ones among these there is a hash.
    """
    listed = ("-c", "core.quotePath=false", "ls-files", "--others", "--exclude-standard")
    notes, n_hashed = "", 0
    for name in (_git(*listed) or "").splitlines():
        digest = _digest(CHECKOUT / name) if n_hashed < MOST_HASHED else ""
        n_hashed += bool(digest)
        notes += f"# untracked{digest and ' '}{digest}: {name}\n"
    format = ("--binary", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/")  # can be applied
    return notes + (_git("diff", *format, "HEAD") or "")


class Diff(NamedTuple):
    """What a checkout held beyond its commit.

    Attributes
    ----------
    patch : str
        Changes of tracked files, to be applied.
    untracked : dict of str to str
        Other files, and the hashes of Python's; "" where there is none.
    """

    patch: str
    untracked: dict[str, str]


def parse_diff(text: str) -> Diff:
    """Return what `git_diff` has said."""
    untracked, end = {}, 0
    while note := NOTE.match(text, end):
        untracked[note["name"]] = note["digest"] or ""
        end = note.end()
    return Diff(text[end:], untracked)


def _digest(file: Path) -> str:
    """Return a hash of a Python file; "" of others, and of none that a person has written."""
    with suppress(OSError):
        if file.suffix == ".py" and file.is_file() and file.stat().st_size <= LARGEST:
            return digest_of(str(file))
    return ""


def _git(*arguments: str) -> str | None:
    """Output of a git command in the code's checkout; None without git or checkout."""
    if not (CHECKOUT / ".git").exists():  # a wheel inside somebody else's checkout
        return None
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=CHECKOUT, capture_output=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", errors="replace")
