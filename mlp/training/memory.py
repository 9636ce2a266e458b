"""The memory that a training will take, known before any of it is taken."""

from math import prod

import numpy as np

from mlp.nn import MLP, Optimizer
from mlp.training.settings import TrainingSettings


def check_memory(
    model: MLP, optimizer: Optimizer, settings: TrainingSettings, n_in: int, n_out: int, n_val: int
) -> None:
    """Raise ValueError if a training would take more memory than is available.

    Counted are the parameters with their gradients, the optimizer's slots, the best epoch's copy
    and the inspector's; the buffers of a training batch and of an evaluation batch; the validation
    scores. They grow with the number of classes, not with its square.

    Parameters
    ----------
    model : MLP
    optimizer : Optimizer
    settings : TrainingSettings
    n_in, n_out : int
        Features and classes of the data.
    n_val : int
        Rows of the validation part.
    """
    import psutil

    layers = model.layers(n_in, n_out)
    n_params = sum(prod(shape) for layer in layers for shape in layer.shapes.values())
    width = sum(2 * (layer.n_in + layer.n_out) for layer in layers) + 4 * n_out  # a row's buffers
    n_rows = settings.batch_size + settings.eval_batch_size
    n_vectors = 3 + len(optimizer.slots) + (2 if settings.inspect else 0)
    n_numbers = n_params * n_vectors + width * n_rows + n_val * n_out
    needed = n_numbers * np.dtype(model.dtype).itemsize
    available = psutil.virtual_memory().available
    if needed > available:
        raise ValueError(
            f"hidden_sizes make {n_params:,} parameters for {n_in:,} features and {n_out:,} "
            f"classes: about {needed / 1e9:,.1f} GB with {type(optimizer).__name__} and these "
            f"batch sizes, and {available / 1e9:,.1f} GB are available"
        )
