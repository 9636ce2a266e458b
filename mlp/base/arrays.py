"""Read .npy files into existing arrays, so that a damaged header cannot exhaust the memory."""

from pathlib import Path

import numpy as np

from mlp.base.errors import RunError


def read_into(array: np.ndarray, path: Path) -> None:
    """Fill ``array`` from a .npy file.

    Raises
    ------
    RunError
        If the file is absent or damaged, or does not hold just that shape and dtype.
    """
    try:
        # Mapped first: a header that declares more than the file holds is refused, not allocated.
        stored = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise RunError(f"{path} does not exist, and is needed") from None
    except Exception as error:  # a header is parsed as Python, which has many ways to fail
        raise RunError(f"{path} is not a readable .npy file ({error})") from error
    if stored.shape != array.shape or stored.dtype != array.dtype:
        raise RunError(
            f"{path} holds {stored.dtype} of shape {stored.shape}, "
            f"where {array.dtype} of shape {array.shape} is needed"
        )
    np.copyto(array, stored)
