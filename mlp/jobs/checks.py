"""What a job asks for, against the data that it is to be done on."""

import numpy as np

from mlp.base import ConfigError
from mlp.config import Job, prefixed
from mlp.data import Dataset, Parts, Warp
from mlp.jobs.refit import check_refit
from mlp.nn import ReduceOnPlateau


def check_fit(job: Job, dataset: Dataset, parts: Parts) -> None:
    """Raise UserError if the job cannot be done on these data."""
    with prefixed("schedule."):
        job.schedule.check(job.trainer.max_epochs)
    with prefixed("loss."):
        job.task.n_out(dataset)
        job.loss.check(dataset.n_classes)
    if isinstance(job.schedule, ReduceOnPlateau) and not job.trainer.monitored(parts):
        raise ConfigError(
            f"schedule=reduce_on_plateau follows trainer.monitor={job.trainer.monitor}, and "
            "data.validation is none: set trainer.monitor=train/loss"
        )
    if job.task.metrics and (part := parts.val or parts.test):
        y = part.target_scaler.inverse(part.labels) if part.target_scaler else part.labels
        right = np.eye(dataset.n_classes)[y] if dataset.classes else y
        job.task.measure(right, y)  # a scorer that is not for such targets is refused
    if job.refit:
        check_refit(job, parts)
    with prefixed("augment ", ": set augment=none"):
        job.augment.of_rows(dataset.image_shape)
    if isinstance(job.augment, Warp) and job.data.scale not in ("unit", "none"):
        raise ConfigError(
            f"augment moves pixels, and data.scale={job.data.scale} scales each of them "
            "differently: set data.scale=unit or augment=none"
        )
