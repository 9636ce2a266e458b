"""The network, NumPy alone."""

from mlp.nn.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from mlp.nn.mlp import MLP
from mlp.nn.network import Network, Workspace
from mlp.nn.storage import load, save

__all__ = [
    "MLP",
    "BinaryCrossEntropy",
    "Loss",
    "MeanSquaredError",
    "Network",
    "SoftmaxCrossEntropy",
    "Workspace",
    "load",
    "save",
]
