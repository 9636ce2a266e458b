"""The activation functions by name.

Each writes into the caller's arrays and allocates none of their size. One of your own is a
subclass of `ActivationFunction` and goes by its class's dotted name.
"""

from mlp.base import closest, import_class
from mlp.nn.activation_check import check_activation
from mlp.nn.activation_function import ActivationFunction, Identity
from mlp.nn.rectifiers import ELU, GELU, SELU, LeakyReLU, Mish, ReLU, SiLU, Softplus
from mlp.nn.sigmoids import ScaledTanh, Sigmoid, Tanh

RECTIFIERS = (ReLU, LeakyReLU, ELU, SELU, GELU, SiLU, Mish, Softplus)
SIGMOIDS = (Sigmoid, Tanh, ScaledTanh)

ACTIVATIONS: dict[str, ActivationFunction] = {
    cls.name: cls() for cls in (Identity, *RECTIFIERS, *SIGMOIDS)
}


def get_activation(name: str) -> ActivationFunction:
    """Return the activation of that name, or of the class that a dotted name stands for.

    Raises
    ------
    ValueError
        If there is none, with the names there are; or if one of your own does not do what it
        should, see `check_activation`.
    """
    if "." in name:
        try:
            own: ActivationFunction = import_class(name, ActivationFunction)()
        except ValueError as error:
            raise ValueError(f"activation {error}") from None
        check_activation(own)
        return own
    if name not in ACTIVATIONS:
        choices = ", ".join([*ACTIVATIONS, "maxout:5"])
        raise ValueError(
            f"activation must be one of {choices}; got {name!r}{closest(name, ACTIVATIONS)}"
        )
    return ACTIVATIONS[name]
