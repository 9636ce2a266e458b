"""A step makes no more calls than it did: what they cost is most of a small network's time."""

import dis
import sys
from collections.abc import Callable

import numpy as np
import pytest

from mlp.data import Part, Scaler
from mlp.nn import MLP, SGD, Adam, Constant, Optimizer, SoftmaxCrossEntropy
from mlp.training import Classification, Trainer
from mlp.training.epoch import EpochRunner

BATCH = 10
CALLS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX", "BINARY_OP"}  # BINARY_OP: a += b calls NumPy too


def count_calls(function: Callable[[], object]) -> int:
    """Return how many calls and operators are carried out, in every function of Python's."""
    n = 0

    def trace(frame, event, argument):
        nonlocal n
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            n += dis.opname[frame.f_code.co_code[frame.f_lasti]] in CALLS
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return n


def calls_of_an_epoch(n_steps: int, optimizer: Optimizer) -> int:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (n_steps * BATCH, 6), "uint8"), np.arange(n_steps * BATCH) % 3
    scaler = Scaler(np.zeros(6, "float32"), np.full(6, 1 / 255, "float32"))
    network = MLP([5]).build(6, 3, SoftmaxCrossEntropy(), rng)
    trainer, train = Trainer(max_epochs=2, batch_size=BATCH), Part(x, y, None, scaler)
    run_epoch = EpochRunner(
        trainer, Classification(), network, optimizer, Constant(), train, None, seed=0
    )
    run_epoch(1)
    return count_calls(lambda: run_epoch(2))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="it does not trace every opcode")
@pytest.mark.parametrize(("optimizer", "most"), [(SGD, 100), (Adam, 130)])
def test_calls_of_a_step(optimizer: type[Optimizer], most: int):
    """One hidden layer, at the defaults."""
    few, many = 100, 300
    calls = calls_of_an_epoch(many, optimizer()) - calls_of_an_epoch(few, optimizer())
    assert calls / (many - few) <= most
