"""The part of a record that tells where a result came from: code, versions, machine."""

from typing import Annotated

from annotated_types import Ge, Le

from mlp.runs.fields import Line, Model, Text


class Git(Model):
    """The state of the code's checkout."""

    commit: Line
    branch: Line
    dirty: bool


class Blas(Model):
    """The library behind NumPy's matrix products."""

    library: Line
    version: Line | None
    threads: Annotated[int, Ge(1), Le(4096)] | None
    architecture: Line | None = None  # of the CPU, as whose kernels it has chosen


class Provenance(Model):
    """What a result depends on besides its configuration and its data."""

    git: Git | None
    versions: dict[Line, Line]
    blas: Blas
    simd: tuple[Line, ...] = ()  # the CPU's instruction sets that NumPy has code for
    host: Line
    platform: Line
    user: Line


class OwnClass(Model):
    """A class of the user's own: the file it came from, and a hash of that file's content."""

    file: Text
    digest: Line
