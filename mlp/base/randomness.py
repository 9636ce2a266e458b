"""Randomness is keyed, not carried: a generator is made from (seed, purpose, epoch) when needed.

No generator outlives its use and none is global, so there is nothing to save: whoever knows the
seed can replay any epoch of any purpose, in any process and in any order.
"""

from zlib import crc32

import numpy as np


def generator(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """Return the generator that belongs to a purpose and an epoch of a run.

    Parameters
    ----------
    seed : int
        The run's seed, not negative.
    purpose : str
        What the numbers are for: ``"split"``, ``"init"``, ``"shuffle"``, ``"dropout"``, ...
        Different purposes give independent streams.
    epoch : int
        Counted from 1; 0 for what happens once, before the first epoch.
    """
    key = (crc32(purpose.encode()), epoch)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
