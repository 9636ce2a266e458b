"""Whatever is in the files of a checkpoint, it is restored as a whole, or left aside."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.nn import MLP, Adam, ReduceOnPlateau, SoftmaxCrossEntropy
from mlp.training.checkpoint import Checkpoints
from mlp.training.progress import Progress
from mlp.training.stopping import Patience
from tests.fuzz.damage import NASTY, altered, damaged, fuzz


def new_progress() -> Progress:
    network = MLP(hidden_sizes=[3]).build(4, 2, SoftmaxCrossEntropy(), np.random.default_rng(0))
    optimizer = Adam()
    optimizer.bind(network.params, network.grads, network.n_decayed)
    stops = [Patience("val/loss", 2, 0.0)]
    return Progress(network, optimizer, ReduceOnPlateau(), stops, "val/loss")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """The folder of a checkpoint after two epochs."""
    progress = new_progress()
    for loss in (0.5, 0.25):
        progress.add({"val/loss": loss})
    checkpoints(tmp_path).write(progress)
    return tmp_path / "checkpoints" / "epoch-2"


def checkpoints(folder: Path) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", every=0.0)


def restored(checkpoint: Path) -> bytes | None:
    """Restore into a new training; return all its arrays, None if the checkpoint is left aside."""
    progress = new_progress()
    before = state(progress)
    epoch = checkpoints(checkpoint.parents[1]).restore(progress)
    assert epoch == progress.epoch
    if epoch:
        return state(progress)[1]
    assert state(progress) == before
    checkpoint.with_name(f"damaged-{checkpoint.name}").rename(checkpoint)
    return None


def state(progress: Progress) -> tuple[str, bytes]:
    arrays = b"".join(array.tobytes() for array in progress.arrays().values())
    return json.dumps(progress.numbers() | {"seconds": 0}), arrays


def test_sound_one(checkpoint: Path):
    assert restored(checkpoint) is not None


@fuzz
@given(data=st.data())
def test_bytes_of_any_file(checkpoint: Path, data: st.DataObject):
    """The digests find what is damaged; a blank more in a header does no harm."""
    file = data.draw(st.sampled_from(sorted(checkpoint.iterdir())))
    arrays, sound = restored(checkpoint), file.read_bytes()
    file.write_bytes(data.draw(damaged(sound)))
    assert restored(checkpoint) in (None, arrays)
    file.write_bytes(sound)


@fuzz
@given(data=st.data())
def test_numbers_with_a_digest_that_matches(checkpoint: Path, data: st.DataObject):
    """A digest finds damage, not malice."""
    file, sha256 = checkpoint / "progress.json", checkpoint / "progress.sha256"
    sound, digest = file.read_text(), sha256.read_text()
    text = json.dumps(data.draw(altered(json.loads(sound))))
    file.write_text(text)
    sha256.write_text(hashlib.sha256(text.encode()).hexdigest())
    restored(checkpoint)
    file.write_text(sound)
    sha256.write_text(digest)


@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_nasty_array(checkpoint: Path, content: bytes):
    (checkpoint / "params.npy").write_bytes(content)
    assert restored(checkpoint) is None
