"""What every data source has in common: its options, the cache, the split and the scaling."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, get_args

from mlp.base import at_least, between, closest, generator
from mlp.data.cache import cached
from mlp.data.dataset import Dataset, Part, Parts
from mlp.data.scaling import ScaleKind, fit_scaler
from mlp.data.split import Validation, split_rows


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Where data come from, and how they are split and scaled.

    A source of your own names itself, lists its ``files`` and turns them into a Dataset in
    ``decode``.

    Parameters
    ----------
    val_fraction : float or None
        Share of the training rows to validate on, between 0 and 1.
    val_size : int, optional
        Number of rows to validate on; comes before ``val_fraction``.
    validation : {"stratified", "ordered", "none"}
        How validation rows are chosen, see `split_rows`.
    scale : {"unit", "standardize", "none"}
        How inputs are scaled, see `fit_scaler`.

    Raises
    ------
    ValueError
        When an option is out of range; the message begins with its name.
    """

    val_fraction: float | None = 0.1
    val_size: int | None = None
    validation: Validation = "stratified"
    scale: ScaleKind = "unit"

    name: ClassVar[str]
    part_of: ClassVar[str | None] = None  # a larger source whose training rows hold all of it

    def __post_init__(self) -> None:
        _require_one_of("validation", self.validation, get_args(Validation))
        _require_one_of("scale", self.scale, get_args(ScaleKind))
        if self.val_fraction is not None:
            between(0, 1, val_fraction=self.val_fraction)
        if self.val_size is not None:
            at_least(1, val_size=self.val_size)
        if self.validation != "none" and self.val_fraction is None and self.val_size is None:
            raise ValueError("val_fraction must be given unless val_size is or validation is none")

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """Return the files that hold the data, fetched first if need be; DataError if absent."""

    @abstractmethod
    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read the files; DataError names the one that is wrong."""

    def load(self) -> Dataset:
        """Return the data set, memory-mapped from the cache where there is one.

        Raises
        ------
        DataError
            When a file is absent, damaged or not what it claims to be.
        """
        files = self.files()
        options = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in SPLITTING}
        return cached(self.name, files, repr(options), lambda: self.decode(files))

    def parts(self, dataset: Dataset, seed: int) -> Parts:
        """Split the training rows and fit the scaling on those that train.

        Parameters
        ----------
        dataset : Dataset
            What `load` returned; its arrays are shared, not copied.
        seed : int
            The run's seed: the same seed gives the same split.

        Raises
        ------
        DataError
            When the split cannot be made with this many rows.
        """
        x, y = dataset.x_train, dataset.y_train
        rng = generator(seed, "split")
        train, val = split_rows(y, self.validation, self.val_fraction, self.val_size, rng)
        scaler = fit_scaler(self.scale, x, train, dataset.x_max)
        test = None
        if dataset.x_test is not None and dataset.y_test is not None:
            test = Part(dataset.x_test, dataset.y_test, None, scaler)
        return Parts(
            train=Part(x, y, train, scaler),
            val=None if val is None else Part(x, y, val, scaler),
            test=test,
            scaler=scaler,
        )


def _require_one_of(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        hint = closest(str(value), choices)
        raise ValueError(f"{field} must be one of {', '.join(choices)}; got {value!r}{hint}")


SPLITTING = {f.name for f in fields(Source)}  # options that decoding does not depend on
