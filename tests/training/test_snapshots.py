"""Copies of a network from a few epochs."""

import numpy as np
import pytest

from mlp.training import Snapshots


def test_begin_with_the_initial_parameters_and_end_with_the_best(fit, make_network):
    snapshots, network = Snapshots(), make_network()
    initial = network.params.copy()
    outcome = fit(network, listeners=[snapshots], max_epochs=40)
    networks = snapshots.networks(3)
    assert list(networks) == [0, 4, outcome.best_epoch]
    np.testing.assert_array_equal(networks[0].params, initial)
    np.testing.assert_array_equal(networks[outcome.best_epoch].params, network.params)


def test_are_what_a_shorter_training_ends_with(fit, make_network):
    snapshots = Snapshots()
    fit(make_network(), listeners=[snapshots], max_epochs=8)
    fit(shorter := make_network(), max_epochs=4)
    np.testing.assert_array_equal(snapshots.networks(9)[4].params, shorter.params)


def test_need_a_training():
    with pytest.raises(ValueError, match="snapshots are taken in a training"):
        Snapshots().networks(3)
