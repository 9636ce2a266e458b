"""A predictor as an ONNX model: preprocessing, network and answers."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlp.base import UserError, atomic_write, require
from mlp.data import TargetScaler
from mlp.onnx.graph import Graph, Value
from mlp.onnx.network import add_network
from mlp.onnx.preprocessing import add_inputs
from mlp.training import BinaryClassification, Classification, Predictor, Regression

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

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


def signature(values: "Iterable[ValueInfoProto]") -> list[tuple[str, str, str]]:
    """Return name, type and shape of inputs or outputs: ``("city", "string", "(n, 1)")``."""
    from onnx import TensorProto

    described = []
    for value in values:
        tensor = value.type.tensor_type
        sizes = ", ".join(str(size.dim_param or size.dim_value) for size in tensor.shape.dim)
        kind = TensorProto.DataType.Name(tensor.elem_type).lower()
        described.append((value.name, kind, f"({sizes})"))
    return described


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
        When the network, the loss or the task has a part that is not one of ours, a column has the
        name of an output, or the members of an ensemble do not take the same inputs.
    """
    graph, members = Graph(*OUTPUTS), predictor.members
    answers = _mean([_answers(graph, member) for member in members])
    names = np.array(predictor.names, object)
    if predictor.task.targets == "numbers":
        graph.output("prediction", answers, len(names))
    else:
        best = answers.to("ArgMax", axis=1, keepdims=0, dtype=np.int64)
        graph.output("label", graph.constant(names).to("Gather", best))
        probable = all(member.network.loss.gives_probabilities for member in members)
        graph.output("probabilities" if probable else "scores", answers, len(names))
    return graph.model({predictor.task.targets: json.dumps(predictor.names)})


def _answers(graph: Graph, predictor: Predictor) -> Value:
    """Return what `Predictor.answers` does."""
    network, task = predictor.network, type(predictor.task)
    if task.answers not in TASKS:
        raise ValueError(f"the task {task.__name__} is not one of mlp's own")
    outputs = add_network(add_inputs(graph, predictor.scaler, network.dtype), network)
    return TASKS[task.answers](outputs, predictor.target_scaler)


def _mean(values: Sequence[Value]) -> Value:
    if len(values) == 1:
        return values[0]
    dtype = np.result_type(*(value.dtype for value in values))
    first, *others = (value.cast(dtype) for value in values)
    return sum(others, start=first) / len(values)


def _two_classes(outputs: Value) -> Value:
    return (outputs * -1.0 + 1.0).to("Concat", outputs, axis=1)


def _in_units(outputs: Value, scaler: TargetScaler | None) -> Value:
    y = outputs.cast(np.float64)
    return y * scaler.deviation + scaler.mean if scaler else y


TASKS: dict[Callable[..., np.ndarray], Callable[[Value, TargetScaler | None], Value]] = {
    Classification.answers: lambda outputs, _: outputs,
    BinaryClassification.answers: lambda outputs, _: _two_classes(outputs),
    Regression.answers: _in_units,
}
