"""ONNX graphs, written as arithmetic."""

from importlib.metadata import version
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto

OPSETS = {"": 20, "ai.onnx.ml": 4}
IR_VERSION = 9


class Value:
    """A value in a graph; arithmetic with it adds nodes.

    Numbers take the value's dtype; arrays keep their own.

    Attributes
    ----------
    graph : Graph
    name : str
    dtype : numpy.dtype
    """

    def __init__(self, graph: "Graph", name: str, dtype: Any) -> None:
        self.graph, self.name, self.dtype = graph, name, np.dtype(dtype)

    def to(self, op: str, *others: Any, dtype: Any = None, **attributes: Any) -> "Value":
        """Return the value of an operator on this one and others.

        Parameters
        ----------
        op : str
            Its ONNX name.
        *others : Value, ndarray or float
        dtype : dtype, optional
            Of the result; this value's by default.
        **attributes
            The operator's.
        """
        name = self.graph.new_name(op)
        names = [self.name, *(self._operand(other).name for other in others)]
        self.graph.add_node(op, names, name, **attributes)
        return Value(self.graph, name, dtype or self.dtype)

    def cast(self, dtype: Any) -> "Value":
        """Return this value in another dtype."""
        return self.to("Cast", dtype=dtype, to=_element_type(dtype))

    def _operand(self, other: Any) -> "Value":
        if isinstance(other, Value):
            return other
        return self.graph.constant(np.asarray(other, getattr(other, "dtype", self.dtype)))

    def __add__(self, other: Any) -> "Value":
        return self.to("Add", other)

    def __sub__(self, other: Any) -> "Value":
        return self.to("Sub", other)

    def __mul__(self, other: Any) -> "Value":
        return self.to("Mul", other)

    def __truediv__(self, other: Any) -> "Value":
        return self.to("Div", other)


class Graph:
    """A graph while it grows.

    Parameters
    ----------
    reserved : sequence of str
        Names that no input may have, for the outputs have them.
    """

    def __init__(self, *reserved: str) -> None:
        self._names = set(reserved)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, dtype: Any, width: int) -> Value:
        """Declare an input of shape (n, width), or return it if it is declared.

        Raises
        ------
        ValueError
            If something else has its name.
        """
        declared = _declared(name, dtype, width)
        if declared not in self._inputs:
            if not name or name in self._names:
                raise ValueError(f"the name {name!r} of an input is taken")
            self._names.add(name)
            self._inputs.append(declared)
        return Value(self, name, dtype)

    def output(self, name: str, value: Value, *width: int) -> None:
        """Declare a value of shape (n,) or (n, width) as an output."""
        self.add_node("Identity", [value.name], name)
        self._outputs.append(_declared(name, value.dtype, *width))

    def constant(self, array: np.ndarray) -> Value:
        """Add a constant."""
        from onnx import numpy_helper

        name = self.new_name("constant")
        self._constants.append(numpy_helper.from_array(array, name))
        return Value(self, name, array.dtype)

    def add_node(self, op: str, operands: list[str], name: str, **attributes: Any) -> None:
        """Add a node that gives one value; arrays among the attributes become tensors."""
        from onnx import helper, numpy_helper

        for key, value in attributes.items():
            if isinstance(value, np.ndarray):
                attributes[key] = numpy_helper.from_array(value)
        self._nodes.append(helper.make_node(op, operands, [name], **attributes))

    def new_name(self, stem: str) -> str:
        """Return a name that no other value has."""
        numbered = (f"{stem}_{i}" for i in count(len(self._names)))
        name = next(name for name in numbered if name not in self._names)
        self._names.add(name)
        return name

    def model(self, metadata: dict[str, str]) -> "ModelProto":
        """Return the finished model."""
        from onnx import helper

        model = helper.make_model(
            helper.make_graph(self._nodes, "mlp", self._inputs, self._outputs, self._constants),
            opset_imports=[helper.make_opsetid(*opset) for opset in OPSETS.items()],
            ir_version=IR_VERSION,
            producer_name="mlp",
            producer_version=version("mlp"),
        )
        helper.set_model_props(model, metadata)
        return model


def _declared(name: str, dtype: Any, *width: int) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, _element_type(dtype), ["n", *width])


def _element_type(dtype: Any) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))  # object for strings
