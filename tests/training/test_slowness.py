"""The sentence about a busy machine: when it is said, and when not."""

import pytest

from mlp.base import generator
from mlp.nn import MLP, SoftmaxCrossEntropy
from mlp.training import EpochEnded, RunStarted, SlownessWarning


class Machine:
    """Clocks of a machine on which an epoch takes some seconds and computes for some of them."""

    def __init__(self, threads: int = 1) -> None:
        self.now = self.computed = 0.0
        self.said: list[str] = []
        self.listen = SlownessWarning(
            self.said.append, threads, lambda: self.now, lambda: self.computed
        )
        network = MLP([2]).build(2, 2, SoftmaxCrossEntropy(), generator(0, "init"))
        self.listen(RunStarted(network, 9, 0, 1, 99, None, None))
        self.epoch = 0

    def train(self, epochs: int, seconds: float, computed: float) -> None:
        for _ in range(epochs):
            self.epoch += 1
            self.now += seconds
            self.computed += computed
            self.listen(EpochEnded(self.epoch, {}, 1, 0.0, self.now))


def test_a_busy_machine_is_named_once_with_the_factor():
    machine = Machine()
    machine.train(20, seconds=1.0, computed=0.25)
    assert machine.said == [
        "epochs take 4.0 times their computing time: other programs keep the processors busy, or "
        "the data come from a slow disk"
    ]


def test_several_threads_are_advised_to_be_one():
    machine = Machine(threads=2)
    machine.train(3, seconds=2.0, computed=0.5)
    assert machine.said[0].endswith("; with threads=1 instead of 2 they may well be faster")


def test_it_may_become_busy_later():
    machine = Machine()
    machine.train(1000, seconds=1.0, computed=0.9)
    assert machine.said == []
    machine.train(10, seconds=1.0, computed=0.1)
    assert len(machine.said) == 1


@pytest.mark.parametrize(
    ("epochs", "seconds", "computed"), [(2, 5.0, 0.1), (30, 0.1, 0.001), (50, 3.0, 1.1)]
)
def test_a_few_epochs_a_moment_or_a_little_company_is_nothing_to_say(
    epochs: int, seconds: float, computed: float
):
    machine = Machine()
    machine.train(epochs, seconds, computed)
    assert machine.said == []
