"""Try an activation of the user's own before anything is trained with it."""

import numpy as np

from mlp.base import class_name, in_one_line
from mlp.nn.activation_function import ActivationFunction

POINTS = np.array([[-3.17, -1.63, -0.71, -0.23], [0.19, 0.67, 1.57, 3.31]])  # away from kinks
H = 1e-3  # large enough for a φ that is computed in float32
TOLERANCE = 0.01
UNWRITTEN = 12345.678


def check_activation(function: ActivationFunction) -> None:
    """Raise ValueError unless ``forward`` writes φ(z) and ``backward`` multiplies by its slope."""
    try:
        with np.errstate(all="ignore"):
            problem = _problem(function)
    except Exception as error:  # the user's code can fail in any way
        problem = f"fails with {type(error).__name__}: {in_one_line(error)}"
    if problem:
        raise ValueError(f"activation {class_name(type(function))} {problem}")


def _problem(function: ActivationFunction) -> str | None:
    z, a, scratch = POINTS.copy(), np.full_like(POINTS, UNWRITTEN), np.empty_like(POINTS)
    returned: object = function.forward(z, a, scratch)
    if (a == UNWRITTEN).any():
        instead = "" if returned is None else ", and returns an array instead"
        return f"must write φ(z) into out in forward{instead}: np.tanh(z, out=out) does"
    if function.reads == "a":
        z = POINTS.copy()
        function.forward(z, z, scratch)
        if not np.allclose(z, a, equal_nan=True):
            return (
                'must not read z in forward once out is written: with reads = "a" they can be one'
            )
    if function.approximate:
        return None
    low, high = np.empty_like(POINTS), np.empty_like(POINTS)
    function.forward(POINTS - H, low, scratch)
    function.forward(POINTS + H, high, scratch)
    slope, delta = (high - low) / (2 * H), np.full_like(POINTS, 2.0)
    function.backward(z, a, delta, scratch)
    wrong = np.isfinite(slope) & ~np.isclose(delta, 2 * slope, TOLERANCE, TOLERANCE)
    if not wrong.any():
        return None
    at, made, true = POINTS[wrong][0], delta[wrong][0], slope[wrong][0]
    return (
        f"must multiply delta by φ'(z) in backward: at z = {at:g} it makes {made:.4g} of 2, where "
        f"forward has the slope {true:.4g} (approximate = True where that is meant)"
    )
