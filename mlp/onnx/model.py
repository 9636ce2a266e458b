"""A predictor as an ONNX model: preprocessing, network and answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlp.base import UserError, atomic_write, require
from mlp.onnx.graph import Graph, Value
from mlp.onnx.network import add_network
from mlp.onnx.preprocessing import add_inputs
from mlp.training import BinaryClassification, Classification, Predictor, Regression

if TYPE_CHECKING:
    from onnx import ModelProto

OUTPUTS = ("label", "probabilities", "scores", "prediction")


def write_onnx(predictor: Predictor, path: Path) -> "ModelProto":
    """Write the model of `onnx_model` and return it; a file of that name is replaced.

    Raises
    ------
    UserError
        When there is no such model, or it cannot be written.
    """
    require("onnx", "onnx", "mlp export")
    try:
        model = onnx_model(predictor)
        with atomic_write(path) as unfinished:
            unfinished.write_bytes(model.SerializeToString())
    except ValueError as error:
        raise UserError(f"this run has no ONNX model: {error}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None
    return model


def onnx_model(predictor: Predictor) -> "ModelProto":
    """Return an ONNX model that answers as `Predictor.answers` and `Predictor.predict`.

    Each column of a table is an input of shape (n, 1): strings if it is categorical, where any
    other than its categories is a gap, and float64 otherwise, where NaN is one. Without a table
    there is one input, ``x``, of shape (n, n_in) and the network's dtype. Inputs are not checked.

    The outputs are ``label``, of shape (n,), and ``probabilities`` (or ``scores``, where the loss
    has none), of shape (n, n_classes); or ``prediction``, of shape (n, n_targets). The model's
    metadata name the classes or the targets.

    Raises
    ------
    ValueError
        For an ensemble; or when the network, the loss or the task has a part that is not one of
        ours, or a column the name of an output.
    """
    if len(predictor.members) > 1:
        raise ValueError("it is an ensemble; export its members")
    graph, network = Graph(*OUTPUTS), predictor.network
    outputs = add_network(add_inputs(graph, predictor.scaler, network.dtype), network)
    add_answers = TASKS.get(type(predictor.task).answers)
    if add_answers is None:
        raise ValueError(f"the task {type(predictor.task).__name__} is not one of mlp's own")
    add_answers(outputs, predictor)
    return graph.model({predictor.task.targets: json.dumps(predictor.names)})


def _classes(outputs: Value, predictor: Predictor) -> None:
    graph, names = outputs.graph, np.array(predictor.names, object)
    best = outputs.to("ArgMax", axis=1, keepdims=0, dtype=np.int64)
    graph.output("label", graph.constant(names).to("Gather", best))
    kind = "probabilities" if predictor.network.loss.gives_probabilities else "scores"
    graph.output(kind, outputs, len(names))


def _two_classes(outputs: Value, predictor: Predictor) -> None:
    first = outputs * -1.0 + 1.0
    _classes(first.to("Concat", outputs, axis=1), predictor)


def _numbers(outputs: Value, predictor: Predictor) -> None:
    scaler, y = predictor.target_scaler, outputs.cast(np.float64)
    y = y * scaler.deviation + scaler.mean if scaler else y
    outputs.graph.output("prediction", y, len(predictor.names))


TASKS: dict[Callable[..., np.ndarray], Callable[[Value, Predictor], None]] = {
    Classification.answers: _classes,
    BinaryClassification.answers: _two_classes,
    Regression.answers: _numbers,
}
