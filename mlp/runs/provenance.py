"""The origin of a result: the code's commit, the versions, the threads, the machine."""

import getpass
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlp.runs.checkout import Checkout, git_state
from mlp.runs.origin import Blas, Provenance

PACKAGES = ("mlp", "numpy", "pandas", "scikit-learn", "mlflow", "hydra-core")


def collect_provenance(checkout: Checkout | None = None) -> Provenance:
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


def _facts(origin: Provenance) -> dict[str, str | int | None]:
    git, versions, blas = origin.git, origin.versions, origin.blas
    return {
        "the code's commit": git.commit if git else None,
        "mlp": versions.get("mlp"),
        "NumPy": versions.get("numpy"),
        "pandas": versions.get("pandas"),
        "scikit-learn": versions.get("scikit-learn"),
        "the BLAS library": f"{blas.library} {blas.version}",
        "the CPU whose kernels the BLAS library takes": blas.architecture,
        "the number of BLAS threads": blas.threads,
        "the set of CPU instructions that NumPy uses": ", ".join(origin.simd),
        "Python": versions.get("python"),
        "the platform": origin.platform.rpartition("-with-")[2],  # the C library, not the kernel
    }


def _simd() -> tuple[str, ...]:
    """Return the instruction sets for which NumPy chooses its code, as it finds them on the CPU.

    Where it chooses none, that is said: nothing at all means that it is not known.
    """
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    return tuple(config.get("SIMD Extensions", {}).get("found", ())) or ("the baseline",)


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
