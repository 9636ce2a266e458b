"""A network as files: ``network.json`` says what it is, one .npy file holds each array.

They are all that is needed to compute with a trained network, with NumPy and nothing else; its
inputs are to be scaled as they were in training, which `mlp.training.Predictor` does.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mlp.base import RunError, class_name, import_class, read_into, read_json
from mlp.nn.layers import Layer
from mlp.nn.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from mlp.nn.mlp import MLP
from mlp.nn.network import Network

# Stored by their short names; a class of the user's own by its dotted one.
OURS = {
    cls.__name__: cls for cls in (MLP, SoftmaxCrossEntropy, BinaryCrossEntropy, MeanSquaredError)
}


def save(folder: Path | str, model: MLP, network: Network) -> None:
    """Write a network into a folder that exists; files of the same names are replaced.

    Parameters
    ----------
    folder : path
    model : MLP
        What the network was built from.
    network : Network
    """
    folder = Path(folder)
    spec = {
        "model": {"name": _name(model)} | asdict(model),
        "loss": {"name": _name(network.loss)} | vars(network.loss),
        "n_in": network.n_in,
        "n_out": network.n_out,
    }
    for name, array in network.named_arrays():
        np.save(folder / f"{name}.npy", array)
    (folder / "network.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")


def load(folder: Path | str) -> Network:
    """Return the network stored in a folder.

    Raises
    ------
    RunError
        If a file is absent or damaged, or an array has not the shape and dtype that the network
        needs; the message names the file.
    """
    folder = Path(folder)
    network = _rebuild(folder / "network.json")
    for name, array in network.named_arrays():
        read_into(array, folder / f"{name}.npy")
        if not np.isfinite(array).all():
            raise RunError(f"{folder / name}.npy holds a value that is not finite")
    return network


def fill(network: Network, folder: Path | str) -> None:
    """Give a network the arrays of a stored one, which may be of the other dtype.

    Raises
    ------
    RunError
        If they are not of the same names and shapes, naming the first that is not, or as `load`.
    """
    source = dict(load(folder).named_arrays())
    arrays = dict(network.named_arrays())
    for name in arrays | source:
        shapes = [a[name].shape if name in a else "absent" for a in (source, arrays)]
        if shapes[0] != shapes[1]:
            raise RunError(f"{name} is {shapes[0]} in {folder}, and {shapes[1]} in this network")
    for name, array in arrays.items():
        np.copyto(array, source[name], casting="same_kind")


def _rebuild(path: Path) -> Network:
    """Return the network that ``network.json`` describes, its parameters all zero."""
    try:
        spec = read_json(path)
        model: MLP = _make(MLP, {"name": "MLP"} | spec["model"])
        loss: Loss = _make(Loss, spec["loss"])
        layers = model.layers(spec["n_in"], spec["n_out"])
        _check_size(layers, np.dtype(model.dtype), path.parent)
        return Network(layers, loss, model.l1, model.l2, model.dtype)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: there is no stored network") from None
    except RunError:
        raise
    except Exception as error:  # a layer's arithmetic with what is no number has many ways to fail
        raise RunError(f"{path} does not describe a network: {error}") from error


def _name(instance: MLP | Loss) -> str:
    cls = type(instance)
    return cls.__name__ if cls in OURS.values() else class_name(cls)


def _make(kind: type, description: dict[str, Any]) -> Any:
    """Make what ``_name`` and its fields describe."""
    fields = dict(description)
    name = fields.pop("name")
    try:
        cls = OURS.get(name) or import_class(name, kind)
    except ValueError as error:
        raise ValueError(f"'name' {error}") from None
    return cls(**fields)


def _check_size(layers: Sequence[Layer], dtype: np.dtype, folder: Path) -> None:
    """Refuse a description far beyond what the files hold, before memory is taken for it.

    A single file that is absent is told by its name, when it is read.
    """
    shapes = [shape for la in layers for shape in (*la.shapes.values(), *la.state_shapes.values())]
    n_declared = sum(prod(shape) for shape in shapes) * dtype.itemsize
    n_held = sum(file.stat().st_size for file in folder.glob("*.npy"))
    if n_declared > 100 * n_held:
        raise RunError(
            f"{folder / 'network.json'} describes arrays of {n_declared:,} bytes, and the .npy "
            f"files beside it hold {n_held:,}"
        )
