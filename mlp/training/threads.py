"""How many threads the matrix products of a training are worth."""

FEWEST_PRODUCTS = 50_000_000  # multiplications a step that are worth a second thread


def blas_threads(n_params: int, batch_size: int) -> int | None:
    """Return 1 for a small training, None for the library's own number in a large one.

    OpenBLAS's threads wait by spinning: on small products they gain little on a quiet machine (15 %
    with 784-128-64-10 and batches of 128) and cost up to 35 times the time on a busy one. The rule
    depends on the training alone, so that equal configurations give equal bits.

    Parameters
    ----------
    n_params : int
        Parameters of the network.
    batch_size : int
    """
    return 1 if n_params * batch_size < FEWEST_PRODUCTS else None
