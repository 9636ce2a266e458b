"""Labels in an array of Python objects, read without running what a pickle may ask for."""

import pickle
from io import BytesIO
from typing import Any

import numpy as np

LONGEST = 100  # characters in memory for each byte of the pickle
NUMPY = {"_reconstruct", "ndarray", "dtype"}  # all that a pickled array of texts or integers names


class _Inert:
    """Stands for whatever the pickle names: it keeps the state it is given, and does nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


# The one in Python, because the one in C reserves as much memory as the pickle tells it to.
class _Unpickler(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> type[_Inert]:
        if module.partition(".")[0] != "numpy" or name not in NUMPY:
            raise ValueError(f"it names {module}.{name}")
        return _Inert


def read_labels(pickled: bytes) -> np.ndarray:
    """Return a pickled one-dimensional array of texts, or of integers, as such.

    Raises
    ------
    ValueError
        When it is anything else.
    """
    try:
        array = _Unpickler(BytesIO(pickled)).load()
        _, shape, _, _, labels = array.state
    except Exception as error:  # damage shows in any way
        raise ValueError(str(error)) from None
    if not isinstance(labels, list) or shape != (len(labels),):
        raise ValueError(f"it is of shape {shape}")
    kinds = {type(label) for label in labels}
    if kinds not in ({str}, {int}):
        raise ValueError(f"it holds {', '.join(sorted(kind.__name__ for kind in kinds))}")
    if max(len(str(label)) for label in {*labels}) * len(labels) > LONGEST * len(pickled):
        raise ValueError("it would take far more memory than its file")
    return np.array(labels)
