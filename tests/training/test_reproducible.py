"""The same seed gives the same bits."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import numpy as np
from mlp.data import Part, Parts, Scaler
from mlp.nn import MLP, AdamW, Cosine, SoftmaxCrossEntropy
from mlp.base.randomness import generator
from mlp.training import Trainer

seed = int(sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.integers(0, 256, (500, 100), "uint8"), rng.integers(0, 10, 500)
scaler = Scaler(np.zeros(100, "float32"), np.full(100, 1 / 255, "float32"))
train, val = (Part(x, y, rows, scaler) for rows in np.split(rng.permutation(500), [400]))
model = MLP([64, 32], "gelu", dropout=0.2, batch_norm=True, l1=1e-5, max_norm=2.0)
network = model.build(100, 10, SoftmaxCrossEntropy(), generator(seed, "init"))
outcome = Trainer(max_epochs=3, batch_size=33).fit(
    network, AdamW(), Cosine(), Parts(train, val, None, scaler), seed
)
sys.stdout.buffer.write(network.params.tobytes() + network.state.tobytes())
sys.stdout.buffer.write(repr([row["val/loss"] for row in outcome.history]).encode())
"""


@pytest.mark.e2e
def test_equal_seeds_equal_bits():
    """In fresh processes: the same seed gives the same bits, another seed others."""
    root = Path(__file__).parents[2]

    def train(seed):
        command = [sys.executable, "-c", SCRIPT, str(seed)]
        return subprocess.run(command, cwd=root, check=True, capture_output=True).stdout

    first = train(0)
    assert train(0) == first
    assert train(1) != first
