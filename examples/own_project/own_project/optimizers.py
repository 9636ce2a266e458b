"""An optimizer that mlp does not have."""

from dataclasses import dataclass

import numpy as np

from mlp.nn import Optimizer


@dataclass
class Lion(Optimizer):
    """p ← p − lr·sign(β1·m + (1 − β1)·g), then m ← β2·m + (1 − β2)·g.

    Source: Chen et al., "Symbolic discovery of optimization algorithms", 2023, Algorithm 2,
    without weight decay.
    """

    lr: float = 0.0003
    beta1: float = 0.9
    beta2: float = 0.99

    slots = ("m",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta1", "beta2"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {value}")

    def update(self, lr: float, p: np.ndarray, g: np.ndarray, m: np.ndarray, s: np.ndarray) -> None:
        np.subtract(m, g, out=s)
        s *= self.beta1
        s += g
        np.sign(s, out=s)
        s *= lr
        p -= s
        m -= g
        m *= self.beta2
        m += g
