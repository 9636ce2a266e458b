"""Seconds an epoch takes with each peer: full MNIST, training only, of each load and optimizer.

Each peer has a process of its own for each number of threads, and they take turns, an epoch each.
Where another number of threads was much faster in two rounds, a process leaves. The best epoch
counts. All start from the same weights and take the same batches, so that they must come to the
same losses, but for rounding, which a training magnifies.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from math import inf
from time import perf_counter, sleep
from typing import Any

from bench.performance.loads import LOADS, LR, mean_loss
from bench.performance.peers import PACKAGES, PEERS, Training, versions
from bench.performance.processes import worker
from bench.performance.results import write

MUCH = 1.15
REST = 0.1  # seconds: the threads of who trained before spin for a while
# By how much the losses may differ: after an epoch, relatively; at the end, by itself.
FIRST, LAST = {"sgd": 0.02, "adam": 0.08}, 0.02

Pools = Mapping[tuple[str, int], ProcessPoolExecutor]  # by the peer's name and its threads


def run(loads: Sequence[str], rounds: int) -> None:
    """Measure each load with each optimizer, and store what there is after each."""
    names = [name for name in PEERS if PACKAGES.get(name, "numpy") in versions()]
    rows: list[dict[str, Any]] = []
    differing = []
    with ExitStack() as stack:
        pools = {
            (name, threads): stack.enter_context(worker(threads))
            for name in names
            for threads in (1, 2)
        }
        for load in loads:
            for optimizer in LR:
                new = in_turn(pools, load, optimizer, rounds)
                write("steps", rows := rows + new)
                first, last = differences(new)
                if first > FIRST[optimizer] or last > LAST:
                    differing.append(f"{load} with {optimizer}: the losses differ")
    if differing:
        raise SystemExit("\n".join(differing))


def in_turn(pools: Pools, load: str, optimizer: str, rounds: int) -> list[dict[str, Any]]:
    """Let the peers train, epoch by epoch in turn; return a row for each, its best."""
    best, losses = dict.fromkeys(pools, inf), {}
    left = list(pools)
    for epoch in range(1, rounds + 1):
        for peer in left:
            seconds = pools[peer].submit(train, peer[0], load, optimizer, epoch).result()
            best[peer] = min(best[peer], seconds)
            if epoch in (1, rounds):
                loss = pools[peer].submit(loss_so_far, peer[0], load, optimizer).result()
                losses.setdefault(peer, []).append(loss)
        fastest = {name: min(best[peer] for peer in left if peer[0] == name) for name, _ in left}
        if epoch > 1:  # the first epoch of a process may be slow for other reasons
            left = [peer for peer in left if best[peer] < MUCH * fastest[peer[0]]]
    rows = []
    for name in fastest:
        peer = min((peer for peer in left if peer[0] == name), key=best.__getitem__)
        row = {"load": load, "optimizer": optimizer, "peer": name, "threads": peer[1]}
        rows.append(row | {"seconds": best[peer], "losses": losses[peer], "epochs": rounds})
        what = f"{load} {optimizer:5} {name:16} {best[peer]:7.3f} s, threads {peer[1]}"
        print(f"{what}, losses {losses[peer]}", flush=True)
    return rows


def differences(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return by how much the losses of a load's peers differ: after an epoch, and at the end."""
    first, last = zip(*(row["losses"] for row in rows if row["losses"][0]), strict=True)
    return max(first) / min(first) - 1, max(last) - min(last)


@lru_cache(maxsize=1)
def training(peer: str, load: str, optimizer: str) -> Training:
    """Return this process's training, which is kept until there is another."""
    return PEERS[peer](LOADS[load], optimizer)


def train(peer: str, load: str, optimizer: str, epoch: int) -> float:
    """Train for an epoch, in a peer's process; return how long it took."""
    run_epoch = training(peer, load, optimizer).epoch
    sleep(REST)
    begin = perf_counter()
    run_epoch(epoch)
    return perf_counter() - begin


def loss_so_far(peer: str, load: str, optimizer: str) -> float | None:
    """Return the loss to which a training has come, in a peer's process; None without weights."""
    weights = training(peer, load, optimizer).weights()
    return mean_loss(weights) if weights else None
