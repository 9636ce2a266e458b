from . import data, nn, runs, sklearn, training
from .jobs.notebook import Run, fit, train

__all__ = ["Run", "data", "fit", "nn", "runs", "sklearn", "train", "training"]
