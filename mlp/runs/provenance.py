"""The origin of a result: the code's commit, the versions, the threads, the machine."""

import getpass
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlp.runs.record import Blas, Git, Provenance

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("mlp", "numpy", "mlflow", "hydra-core")


def collect_provenance() -> Provenance:
    """Return what a result depends on besides its configuration and its data.

    ``git`` is None when the code does not run from a checkout.
    """
    packages = {package: _version(package) for package in PACKAGES}
    return Provenance(
        git=git_state(),
        versions={"python": platform.python_version()} | packages,
        blas=blas(),
        host=platform.node(),
        platform=platform.platform(),
        user=_user(),
    )


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


def git_diff() -> str:
    """Return the checkout's tracked changes beyond its commit, and the names of untracked files."""
    untracked = (_git("ls-files", "--others", "--exclude-standard") or "").splitlines()
    notes = "".join(f"# untracked: {name}\n" for name in untracked)
    return notes + (_git("diff", "HEAD") or "")


def blas() -> Blas:
    """Return name, version and thread count of the library behind NumPy's matrix products.

    The last bits of a result depend on the thread count.
    """
    import numpy  # noqa: F401 - loads the library that is asked about
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            names = {"library": pool["internal_api"], "version": pool["version"]}
            return Blas(**names, threads=pool["num_threads"])
    return Blas(library="unknown", version=None, threads=None)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "unknown"


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
