"""Images that augmentation warps in a second, on one core.

    python bench/augmentation.py

Batches of 128 images of 28 x 28 pixels in float32, five tries, the best of them, in processor time.
Measured on a core of an AMD EPYC: 180,000 affine, 105,000 elastic, 92,000 with both.
"""

import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from mlp.base import generator
from mlp.data import Affine, AffineElastic, Augmentation, Elastic

N_IMAGES, N_BATCHES, N_TRIES = 128, 50, 5


def images_per_second(augment: Augmentation) -> float:
    """Return the best of some tries."""
    images = np.random.default_rng(0).random((N_IMAGES, 28, 28), np.float32)
    rng = generator(0, "augment", 1)
    augment(images, rng)  # makes its buffers
    seconds = []
    for _ in range(N_TRIES):
        begin = time.process_time()
        for _ in range(N_BATCHES):
            augment(images, rng)
        seconds.append(time.process_time() - begin)
    return N_IMAGES * N_BATCHES / min(seconds)


def main() -> None:
    """Measure."""
    for augment in (Affine(), Elastic(), AffineElastic()):
        print(f"{type(augment).__name__:14} {images_per_second(augment):9,.0f} images/s")


if __name__ == "__main__":
    main()
