"""Block cuts: every element once, in order."""

import numpy as np
import pytest

from mlp.nn.optimizers import BLOCK, blocks


@pytest.mark.parametrize("n", [0, 1, 9, 10, 11, 35])
def test_blocks_cover_every_element_once(n):
    """The pieces of a vector, put together, are the vector; none is longer than asked for."""
    vector = np.arange(n)
    pieces = [vector[cut] for cut in blocks(n, size=10)]
    np.testing.assert_array_equal(np.concatenate([[], *pieces]), vector)
    assert all(1 <= len(piece) <= 10 for piece in pieces)


def test_a_cut_tells_its_length():
    """The last cut ends where the vector does, so that scratch can be cut to match."""
    assert sum(cut.stop - cut.start for cut in blocks(2 * BLOCK + 5)) == 2 * BLOCK + 5
