"""The record of a run or of a sweep: the content of ``run.json``, checked when it is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le, Lt
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from mlp.base import ConfigError, RunError
from mlp.runs.fields import Count, Id, Line, Model, Moment, Status, Text, Value
from mlp.runs.origin import OwnClass, Provenance
from mlp.runs.verdict import Verdict, judge


class Process(Model):
    """The process that works on a run, or did."""

    host: Line
    pid: Count


class ModelDescription(Model):
    """The network."""

    layers: tuple[Line, ...]
    loss: Line
    n_parameters: Count


class DataDescription(Model):
    """The data; equal digests mean the same data, and the same split of the training rows."""

    name: Line
    n_in: Count
    columns: dict[Line, Literal["numeric", "boolean", "categorical"]] = {}  # of a table
    classes: tuple[Line, ...]
    targets: tuple[Line, ...] = ()  # numbers to predict, instead of classes
    image_shape: tuple[Count, ...] | None
    digest: Line
    split: Line
    n_train: Count
    n_val: Count
    n_test: Count


class Best(Model):
    """The best epoch and its metrics."""

    epoch: Count
    metrics: dict[Line, float]


class Refit(Model):
    """A second training, on all rows, whose weights are the run's; the sum of its epochs' times."""

    epochs: Count
    seconds: float


class TestResult(Model):
    """The result of an evaluation on data with a digest; the time in ms since 1970."""

    metrics: dict[Line, float]
    timestamp: Annotated[int, Ge(0), Lt(10**14)]
    digest: Line


class Published(Model):
    """A published test error in per cent, to be reproduced."""

    error: Annotated[float, Ge(0), Le(100)]
    source: Line
    shortened: bool = False  # whether the training is a shorter one than the published


class Resumption(Model):
    """A later start of the same run, and what differs since then: the configuration, the code."""

    at: Moment
    changes: dict[Line, Value]
    provenance: Provenance
    code_changes: tuple[Text, ...] = ()


class SweepMembership(Model):
    """The job of a sweep that a run is; ``key`` is the same for the same job."""

    parent: Id
    key: Line
    params: dict[Line, Value]
    trial: int | None = None


class Tracking(Model):
    """Where a run is mirrored; ``uri`` is None for the database among the runs."""

    uri: Text | None
    experiment: Line


class Common(Model):
    """What the records of runs and sweeps have in common."""

    id: Id
    name: Line
    status: Status = "RUNNING"
    started: Moment
    continued: Moment | None = None
    ended: Moment | None = None
    seconds: float = 0.0
    stop_reason: Text | None = None
    command: Text
    tags: dict[Line, Value] = {}
    provenance: Provenance
    process: Process
    tracking: Tracking | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return a new record; RunError names a value that cannot be recorded."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise RunError(f"this cannot be recorded: {complaint(error)}") from None

    def changed(self, **changes: Any) -> Self:
        """Return the record with other values for some fields; RunError as `of`."""
        return self.of({**dict(self), **changes})

    def ended_at(self, moment: datetime) -> dict[str, Any]:
        """Return the changes for an end at a given time."""
        spent = (moment - (self.continued or self.started)).total_seconds()
        return {"ended": moment, "seconds": self.seconds + spent}


class RunRecord(Common):
    """The record of a training."""

    kind: Literal["run"] = "run"
    monitor: Line = "train/loss"
    limited: bool
    config_digest: Line | None = None
    epochs: Count = 0
    best: Best | None = None
    refit: Refit | None = None
    test: TestResult | None = None
    init_from: Text | None = None
    published: Published | None = None
    evaluations: dict[Annotated[str, StringConstraints(pattern=r"^\w{1,120}\Z")], TestResult] = {}
    model: ModelDescription
    data: DataDescription
    sweep: SweepMembership | None = None
    pruned: bool = False
    resumed: tuple[Resumption, ...] = ()
    code: dict[Line, OwnClass] = {}
    findings: tuple[Text, ...] | None = None  # of the looks inside, if there were any
    members: tuple[Id, ...] = ()  # of an ensemble, the runs whose predictions are averaged

    @property
    def job(self) -> SweepMembership:
        """The job that the run is; RunError when it belongs to no sweep."""
        if self.sweep is None:
            raise RunError(f"{self.name} belongs to no sweep")
        return self.sweep

    @property
    def state(self) -> str:
        """``running``, ``finished``, ``pruned``, ``failed`` or ``killed``."""
        return "pruned" if self.pruned else self.status.lower()

    @property
    def task(self) -> tuple[str, str, str, bool]:
        """The data, the split and the loss: runs that differ in it are not compared."""
        return self.data.digest, self.data.split, self.model.loss, self.limited

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the best epoch, and ``epoch``; {} before the first one has ended."""
        return {"epoch": self.best.epoch, **self.best.metrics} if self.best else {}

    @property
    def verdict(self) -> Verdict | None:
        """The test error beside the published one; None if there is none, or no full training."""
        if self.published is None or self.test is None or self.limited:
            return None
        if (accuracy := self.test.metrics.get("accuracy")) is None:
            return None
        return judge(self.published.error, [100 * (1 - accuracy)], self.data.n_test)

    @property
    def tests(self) -> dict[str, TestResult]:
        """The evaluations of the run: ``test`` of its own test set, ``eval/...`` of other data."""
        own = {"test": self.test} if self.test else {}
        return own | {f"eval/{name}": found for name, found in self.evaluations.items()}

    @property
    def results(self) -> dict[str, dict[str, float]]:
        """The metrics of the best epoch and of the evaluations, as ``results["val"]["loss"]``."""
        results: dict[str, dict[str, float]] = {}
        for key, value in self.metrics.items():
            part, _, metric = key.partition("/")
            if metric:
                results.setdefault(part, {})[metric] = value
        return results | {name: test.metrics for name, test in self.tests.items()}

    @property
    def final_metrics(self) -> dict[str, float]:
        """The same in one mapping, as ``final_metrics["val/loss"]``."""
        return {
            f"{part}/{metric}": value
            for part, metrics in self.results.items()
            for metric, value in metrics.items()
        }


class Winner(Model):
    """The best run of a sweep, and the value that ranked it."""

    run: Id
    name: Line
    metric: Line
    value: float
    best: Best


class SweepRecord(Common):
    """The record of a sweep; of a search, ``n_jobs`` is 0."""

    kind: Literal["sweep"] = "sweep"
    identity: Line
    monitor: Line
    axes: dict[Line, list[Value]]
    n_jobs: Count
    best: Winner | None = None
    counts: dict[Line, Count] = {}


Record = RunRecord | SweepRecord
_RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def parse_record(content: bytes | str) -> Record:
    """Return the record that is the content of a ``run.json``; ValueError names what is wrong."""
    try:
        return _RECORD.validate_json(content)
    except ValidationError as error:
        raise ValueError(complaint(error)) from None


def check_published(values: Any) -> None:
    """Raise ConfigError unless ``published`` of a configuration is what a record can hold."""
    try:
        Published.model_validate(values)
    except ValidationError as error:
        raise ConfigError(
            f"published must be {{error: 1.6, source: where}}, in per cent; {complaint(error)}"
        ) from None


def complaint(error: ValidationError) -> str:
    """Return the first of pydantic's complaints in one line, without the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "union_tag_not_found":
        return "it has no 'kind'; mlp wrote it before 0.2, or somebody else did"
    key = ".".join(str(part) for part in first["loc"] if part not in ("run", "sweep"))
    reason = first["msg"].removeprefix("Value error, ")
    key = key if key.isprintable() else "a key"
    return f"'{key[:80]}': {reason[0].lower()}{reason[1:]}" if key else reason
