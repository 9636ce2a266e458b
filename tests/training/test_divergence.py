"""A run that has no use any more ends at once and says where it went wrong."""

from dataclasses import replace

import numpy as np
import pytest

from mlp.nn import SGD, MeanSquaredError
from mlp.training import DivergedError


def test_in_training(fit, make_network):
    """Epoch, step and layer are named."""
    with pytest.raises(DivergedError, match=r"^epoch 1, step 2: train/loss .* of layer \d \("):
        fit(make_network(), SGD(1e30))


def test_in_the_gradient(fit, make_network):
    """The loss is still finite, the way back is not."""
    network = make_network(activation="gelu")
    network.params *= 1e14
    with pytest.raises(DivergedError, match=r"step 1: .* nan.* the gradient of W1 of layer 1"):
        fit(network)


def test_in_validation(fit, make_network, make_parts):
    """The training was in order; one validation example is not."""
    parts = make_parts()
    parts.val.x[70] = np.inf
    with pytest.raises(DivergedError, match=r"^epoch 1, validation: val/loss .* the input$"):
        fit(make_network(), parts=parts)


def test_loss_itself(fit, make_network):
    """Outputs are finite, their squares are not."""
    network = make_network((), loss=MeanSquaredError("identity"))
    network.params[:] = 1e25
    with pytest.raises(DivergedError, match=r"train/loss is inf.* is this one$"):
        fit(network)


def test_in_the_last_update_without_validation(fit, make_network, make_parts):
    """No loss is computed after it, and the run must not end in order with NaN for weights."""
    parts = replace(make_parts(), val=None)
    with pytest.raises(DivergedError, match="epoch 1: after its last step a parameter is not fin"):
        fit(make_network(), SGD(1e38), parts=parts, max_epochs=1, batch_size=60)
