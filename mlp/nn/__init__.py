"""The network, NumPy alone."""

from mlp.nn.activation_function import ActivationFunction
from mlp.nn.activations import get_activation
from mlp.nn.adaptive_optimizers import Adagrad, Adam, AdamW, NAdam, RMSprop
from mlp.nn.batch_norm import BatchNorm
from mlp.nn.dropout import Dropout
from mlp.nn.layers import Activation, Buffers, Dense, Layer
from mlp.nn.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from mlp.nn.maxout import Maxout
from mlp.nn.mlp import MLP
from mlp.nn.network import Network
from mlp.nn.optimizers import SGD, Momentum, Nesterov, Optimizer
from mlp.nn.scale import Scale
from mlp.nn.schedules import (
    Annealing,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    Linear,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmupCosine,
)
from mlp.nn.storage import fill, load, save
from mlp.nn.trace import LayerTrace, Trace, trace_example
from mlp.nn.workspace import Workspace

__all__ = [
    "MLP",
    "SGD",
    "Activation",
    "ActivationFunction",
    "Adagrad",
    "Adam",
    "AdamW",
    "Annealing",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Buffers",
    "Constant",
    "CosLog",
    "Cosine",
    "Dense",
    "Dropout",
    "Exponential",
    "Layer",
    "LayerTrace",
    "Linear",
    "Loss",
    "Maxout",
    "MeanSquaredError",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Network",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "ReduceOnPlateau",
    "Scale",
    "Schedule",
    "SoftmaxCrossEntropy",
    "Step",
    "Trace",
    "WarmupCosine",
    "Workspace",
    "fill",
    "get_activation",
    "load",
    "save",
    "trace_example",
]
