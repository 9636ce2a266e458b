"""What a look inside a network in training has found: numbers alone, as they are stored."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any


@dataclass(frozen=True)
class TaskFacts:
    """What is known before the first step.

    Attributes
    ----------
    chance_loss : float or None
        The loss of the best constant answer; None for a loss of one's own.
    input_rms : float
        √(mean x²) of the scaled inputs.
    shift, shift_z2 : float or None
        How far the validation inputs are from the training inputs, see `distance`; None without.
    outputs : tuple of float, or None
        The lowest and the highest value that the output activation gives; None without bounds.
    targets : tuple of float
        The lowest and the highest value that is wanted.
    """

    chance_loss: float | None
    input_rms: float
    shift: float | None
    shift_z2: float | None
    outputs: tuple[float, float] | None
    targets: tuple[float, float]


@dataclass(frozen=True)
class LayerState:
    """A dense layer and the activation behind it, on the inspected rows.

    Attributes
    ----------
    number : int
        As in ``W1``.
    n_units : int
    weight_rms : float
        √(mean w²) of the weights.
    spread : float
        Deviation of the units' incoming weights from their mean, relative to ``weight_rms``; 0 if
        all units are the same.
    gradient_rms : float
        Of dL/dW, before penalties and clipping.
    update_rms : float
        Of the step that the optimizer makes of it.
    counts : tuple of int
        Histogram of the activations, or of the outputs z: equal bins from ``low`` to ``high``.
    low, high : float
    activation : str or None
        None for the output layer, and for maxout.
    dead : float or None
        Share of the units whose activation has next to no slope in any of the rows: rectifiers
        that are never active, sigmoids that are always saturated.
    """

    number: int
    n_units: int
    weight_rms: float
    spread: float
    gradient_rms: float
    update_rms: float
    counts: tuple[int, ...]
    low: float
    high: float
    activation: str | None = None
    dead: float | None = None

    @property
    def update_ratio(self) -> float:
        """RMS of an update over RMS of the weights; about 1e-3 is healthy."""
        return self.update_rms / self.weight_rms if self.weight_rms else inf


@dataclass(frozen=True)
class Inspection:
    """A network after an epoch; epoch 0 is before the training.

    Attributes
    ----------
    epoch : int
    lr : float
    loss : float
        Mean over the inspected rows, in training mode.
    layers : tuple of LayerState
    facts : TaskFacts or None
        At epoch 0.
    """

    epoch: int
    lr: float
    loss: float
    layers: tuple[LayerState, ...]
    facts: TaskFacts | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Inspection":
        """Return what ``as_dict`` returned before; TypeError or KeyError for anything else."""
        layers = tuple(LayerState(**layer) for layer in values["layers"])
        facts = values["facts"] and TaskFacts(**values["facts"])
        return cls(**{**values, "layers": layers, "facts": facts})
