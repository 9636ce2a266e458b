"""Ways to damage what is sound, and arrays that are meant to do harm."""

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mlp.base import UserError

fuzz = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """Sound bytes of which a few were changed, cut out or put in; now and then just any."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(sound)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        n = draw(st.sampled_from((0, 1, 1, 1, 4, len(data))))
        data[start : start + n] = draw(st.binary(max_size=4))
    return bytes(data)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@st.composite
def altered(draw: st.DrawFn, sound: Any) -> Any:
    """Sound JSON in which something, somewhere, is missing or is something else."""
    if isinstance(sound, dict) and sound and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(sound)))
        if draw(st.integers(0, 4)) == 0:
            return {k: v for k, v in sound.items() if k != key}
        return sound | {key: draw(altered(sound[key]))}
    return draw(any_json)


def only(error: type[UserError], read: Callable[[], object]) -> None:
    """Read what may be damaged: it works, or raises this error and no other."""
    with suppress(error):
        read()


def npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    """Return an array as a .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def declaring(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """Return a .npy file of 16 values that claims to be of another shape."""
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, header)
    return file.getvalue() + bytes(64)


NASTY = {
    "pickled": npy(np.array([{"an": "object"}], dtype=object), allow_pickle=True),
    "a terabyte": declaring((1 << 40,)),
    "more than an address can": declaring((1 << 62, 1 << 62)),
    "negative": declaring((-1, -1)),
    "objects": declaring((4, 4), "|O"),
    "long strings": declaring((4, 4), "<U1000000000"),
    "of no size": declaring((4, 4), "|V0"),
    "brackets": b"\x93NUMPY\x02\x00" + struct.pack("<I", 9000) + b"(" * 9000,
    "endless header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF),
    "empty": b"",
}
