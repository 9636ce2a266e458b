"""Range checks: what passes, what does not, and what the message says."""

import math

import numpy as np
import pytest

from mlp.base import at_least, between, fraction, positive


def test_values_in_range_pass():
    """Ends that belong to a range are accepted; NumPy's numbers are numbers too."""
    positive(lr=1e-9, eps=np.float32(1))
    at_least(1, patience=1)
    fraction(momentum=0, beta1=0.999)
    between(0, 1, val_fraction=0.5)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (positive, 0, "x must be greater than 0, got 0"),
        (lambda x: at_least(1, x=x), 0, "x must be at least 1, got 0"),
        (fraction, 1, "x must be at least 0 and below 1, got 1"),
        (fraction, -0.1, "x must be at least 0 and below 1, got -0.1"),
        (lambda x: between(0, 1, x=x), 0, "x must be between 0 and 1, got 0"),
        (lambda x: between(0, 1, x=x), 1, "x must be between 0 and 1, got 1"),
        (positive, math.inf, "x must be greater than 0, got inf"),
        (positive, math.nan, "x must be greater than 0, got nan"),
        (positive, None, "x must be greater than 0, got None"),
        (positive, "1e-3", "x must be greater than 0, got '1e-3'"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(check, value, message):
    """The field, the range, and what came instead."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        check(x=value)
