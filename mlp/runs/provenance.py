"""The origin of a result: the code's commit, the versions, the threads, the machine."""

import getpass
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from mlp.runs.folder import RunFolder
from mlp.runs.origin import Blas, Git, Provenance

CHECKOUT = Path(__file__).resolve().parent.parent.parent
UNTRACKED = "# untracked: "  # begins a line of a diff that names a file
PACKAGES = ("mlp", "numpy", "mlflow", "hydra-core")


def collect_provenance(checkout: "Checkout | None" = None) -> Provenance:
    """Return what a result depends on besides its configuration and its data.

    ``git`` is None when the code does not run from a checkout, which is read unless it is given.
    """
    packages = {package: _version(package) for package in PACKAGES}
    return Provenance(
        git=checkout.git if checkout else git_state(),
        versions={"python": platform.python_version()} | packages,
        blas=blas(),
        simd=_simd(),
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
    """Return the checkout's tracked changes beyond its commit, and the names of untracked files."""
    untracked = (_git("ls-files", "--others", "--exclude-standard") or "").splitlines()
    notes = "".join(f"{UNTRACKED}{name}\n" for name in untracked)
    format = ("--binary", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/")  # can be applied
    return notes + (_git("diff", *format, "HEAD") or "")


class Diff(NamedTuple):
    """What a checkout held beyond its commit: changes to be applied, names of files."""

    patch: str
    untracked: list[str]


def read_diff(folder: RunFolder) -> Diff:
    """Return what `git_diff` said when a run was opened."""
    if not folder.diff.exists():
        return Diff("", [])
    lines = folder.diff.read_text("utf-8", errors="replace").splitlines(keepends=True)
    untracked = [line.removeprefix(UNTRACKED).rstrip() for line in takewhile(_is_note, lines)]
    return Diff("".join(lines[len(untracked) :]), untracked)


def origin_changes(then: Provenance, now: Provenance) -> list[str]:
    """Return in what two origins differ that may decide about the last bits, as sentences.

    What is not known of one of them is left out.
    """
    facts = [_facts(origin) for origin in (then, now)]
    return [
        f"{what} was {before} and is {after}"
        for what, before, after in zip(facts[0], *(fact.values() for fact in facts), strict=True)
        if before and after and before != after
    ]


def blas() -> Blas:
    """Return what is known of the library behind NumPy's matrix products.

    The last bits of a result depend on its thread count, and on the kernels it has chosen.
    """
    import numpy  # noqa: F401 - loads the library that is asked about
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:
        return Blas(library="unknown", version=None, threads=None)
    # SciPy brings a library of its own, which may be listed first.
    pool = next((pool for pool in pools if "numpy" in Path(pool["filepath"]).parent.name), pools[0])
    return Blas(
        library=pool["internal_api"],
        version=pool["version"],
        threads=pool["num_threads"],
        architecture=pool.get("architecture"),
    )


def _is_note(line: str) -> bool:
    return line.startswith(UNTRACKED)


def _facts(origin: Provenance) -> dict[str, str | int | None]:
    git, versions, blas = origin.git, origin.versions, origin.blas
    return {
        "the code's commit": git.commit if git else None,
        "mlp": versions.get("mlp"),
        "NumPy": versions.get("numpy"),
        "the BLAS library": f"{blas.library} {blas.version}",
        "the CPU whose kernels the BLAS library takes": blas.architecture,
        "the number of BLAS threads": blas.threads,
        "the set of CPU instructions that NumPy uses": ", ".join(origin.simd),
        "Python": versions.get("python"),
        "the platform": origin.platform.rpartition("-with-")[2],  # the C library, not the kernel
    }


def _simd() -> tuple[str, ...]:
    """Return the instruction sets for which NumPy chooses its code, as it finds them on the CPU."""
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    return tuple(config.get("SIMD Extensions", {}).get("found", ()))


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
