"""How many threads the matrix products of a training are worth."""

FEWEST_PRODUCTS = 50_000_000  # multiplications a step that are worth a second thread


def blas_threads(n_params: int, batch_size: int) -> int | None:
    """Return 1 for a small training, None for the library's own number in a large one.

    OpenBLAS's threads wait by spinning. On two idle cores two threads take 1.2 times as long as one
    with 14 million multiplications a step, 0.95 times with 26, 0.83 times with 52 and 0.61 times
    with 81 million; on a busy machine 8 to 100 times as long, whatever the size. The rule depends
    on the training alone, so that equal configurations give equal bits.

    Parameters
    ----------
    n_params : int
        Parameters of the network.
    batch_size : int
    """
    return 1 if n_params * batch_size < FEWEST_PRODUCTS else None
