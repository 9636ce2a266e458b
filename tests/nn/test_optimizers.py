"""Optimizers against their published formulas, transcribed naively, and on known minima."""

import tracemalloc

import numpy as np
import pytest

from mlp.nn import SGD, Adagrad, Adam, AdamW, Momentum, NAdam, Nesterov, RMSprop
from mlp.nn.optimizers import BLOCK, blocks

# Each transcription takes the parameters, then pairs (learning rate, gradient), and returns the
# parameters after the last pair. Everything is written as in the paper and kept in float64.


def sgd(p, pairs):
    """θ ← θ - η·g."""
    for lr, g in pairs:
        p = p - lr * g
    return p


def momentum(p, pairs, mu=0.9):
    """Sutskever et al. 2013, equations 1 and 2."""
    v = 0
    for lr, g in pairs:
        v = mu * v - lr * g
        p = p + v
    return p


def nesterov(p, pairs, mu=0.9):
    """Sutskever et al. 2013, equations 3 and 4: g is the gradient at θ + μ·v, which is returned."""
    theta, v = p, 0
    for lr, g in pairs:
        v = mu * v - lr * g
        theta = theta + v
    return theta + mu * v


def adagrad(p, pairs, eps=1e-10):
    """Duchi et al. 2011: all squared gradients so far are summed."""
    squares = []
    for lr, g in pairs:
        squares.append(g**2)
        p = p - lr * g / (np.sqrt(sum(squares)) + eps)
    return p


def rmsprop(p, pairs, rho=0.9, eps=1e-8):
    """Tieleman & Hinton 2012, lecture 6e."""
    mean_square = 0
    for lr, g in pairs:
        mean_square = rho * mean_square + (1 - rho) * g**2
        p = p - lr * g / (np.sqrt(mean_square) + eps)
    return p


def adam(p, pairs, beta1=0.9, beta2=0.999, eps=1e-8, decay=0):
    """Kingma & Ba 2015, algorithm 1; with ``decay``, Loshchilov & Hutter 2019, algorithm 2."""
    m = v = 0
    for t, (lr, g) in enumerate(pairs, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        p = p - lr * (m_hat / (np.sqrt(v_hat) + eps) + decay * p)
    return p


def adamw(p, pairs):
    """Decay of 0.01 on the first N_DECAYED parameters only."""
    return adam(p, pairs, decay=np.where(np.arange(p.size) < N_DECAYED, 0.01, 0))


def nadam(p, pairs, mu=0.9, nu=0.999, eps=1e-8):
    """Dozat 2016, algorithm 2, with the products of μ written as powers."""
    m = n = 0
    for t, (lr, g) in enumerate(pairs, start=1):
        m = mu * m + (1 - mu) * g
        n = nu * n + (1 - nu) * g**2
        m_hat = mu * m / (1 - mu ** (t + 1)) + (1 - mu) * g / (1 - mu**t)
        n_hat = n / (1 - nu**t)
        p = p - lr * m_hat / (np.sqrt(n_hat) + eps)
    return p


FORMULAS = {
    SGD: sgd,
    Momentum: momentum,
    Nesterov: nesterov,
    Adagrad: adagrad,
    RMSprop: rmsprop,
    Adam: adam,
    AdamW: adamw,
    NAdam: nadam,
}
every_optimizer = pytest.mark.parametrize("kind", FORMULAS, ids=lambda kind: kind.__name__)

N_PARAMS = BLOCK + 1000  # more than one block
N_DECAYED = 900
STEPS = 50


@pytest.fixture(scope="module")
def problem():
    """Return parameters and 50 pairs of a learning rate, falling, and a gradient; all float32."""
    rng = np.random.default_rng(0)
    p = rng.standard_normal(N_PARAMS).astype(np.float32)
    return p, [
        (0.02 / (1 + 0.1 * i), rng.standard_normal(N_PARAMS).astype(np.float32))
        for i in range(STEPS)
    ]


def run(optimizer, p, pairs, n_decayed=N_DECAYED):
    """Return a copy of ``p`` after a step of a fresh ``optimizer`` for each pair."""
    p, grads = p.copy(), np.empty_like(p)
    optimizer.bind(p, grads, n_decayed)
    for lr, g in pairs:
        grads[:] = g
        optimizer.step(lr)
    return p


@every_optimizer
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_fifty_steps_follow_the_published_formula(kind, dtype, tolerance, problem):
    """Under a falling rate the parameters go the formula's way, within the type's rounding."""
    start, pairs = problem
    exact = FORMULAS[kind](start.astype(float), [(lr, g.astype(float)) for lr, g in pairs])
    end = run(kind(), start.astype(dtype), pairs)
    assert end.dtype == dtype
    assert np.linalg.norm(end - exact) <= tolerance * np.linalg.norm(exact)


@every_optimizer
def test_result_does_not_depend_on_the_cuts(kind, problem):
    """Parameters moved in one vector or in two, so cut elsewhere, have the same bits."""
    start, pairs = problem
    whole, cut = run(kind(), start, pairs[:5]), 12_345
    first = run(kind(), start[:cut], [(lr, g[:cut]) for lr, g in pairs[:5]])
    rest = run(kind(), start[cut:], [(lr, g[cut:]) for lr, g in pairs[:5]], n_decayed=0)
    np.testing.assert_array_equal(whole, np.concatenate([first, rest]))


def test_weight_decay_shrinks_the_decayed_parameters_only():
    """With no gradient, AdamW's weights shrink by lr·λ a step, and the rest stays put."""
    p, grads = np.ones(10), np.zeros(10)
    optimizer = AdamW(weight_decay=0.5)
    optimizer.bind(p, grads, n_decayed=6)
    optimizer.step(0.1)
    optimizer.step(0.2)
    np.testing.assert_allclose(p, [0.95 * 0.9] * 6 + [1.0] * 4)


@every_optimizer
def test_a_factor_is_a_learning_rate_of_its_own(kind, problem):
    """Each stretch goes the way that it would go alone under its own rate, bit for bit."""
    start, pairs = problem
    stretches = [(slice(0, 500), 6.0), (slice(500, 66_300), 1.0), (slice(66_300, N_PARAMS), 0.1)]
    p, grads = start.copy(), np.empty_like(start)
    optimizer = kind()
    optimizer.bind(p, grads, N_DECAYED, stretches)
    for lr, g in pairs[:5]:
        grads[:] = g
        optimizer.step(lr)
    for cut, factor in stretches:
        own = [(lr * factor, g[cut]) for lr, g in pairs[:5]]
        n_decayed = max(0, min(cut.stop, N_DECAYED) - cut.start)
        np.testing.assert_array_equal(p[cut], run(kind(), start[cut], own, n_decayed))


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
def test_momentum_ramps(kind):
    """μ rises linearly over the ramp, and stays; dampened, the rate is multiplied by 1 - μ."""
    ramped = kind(momentum=0.9, initial_momentum=0.5, ramp=4, dampened=True)
    rng = np.random.default_rng(0)
    p, grads = rng.standard_normal((2, 3))
    expected, v = p.copy(), np.zeros(3)
    ramped.bind(p, grads, 0)
    for epoch, mu in [(0, 0.5), (1, 0.6), (2.5, 0.75), (4, 0.9), (7, 0.9)]:
        ramped.step(0.1, epoch)
        v = mu * v - 0.1 * (1 - mu) * grads
        expected += v if kind is Momentum else mu * v - 0.1 * (1 - mu) * grads
        np.testing.assert_allclose(p, expected, rtol=1e-12)


def test_a_rule_with_no_memory_of_its_own_is_sgd(problem):
    """Momentum, Nesterov and AdamW contain the simpler rule as the case of 0."""
    start, pairs = problem
    np.testing.assert_array_equal(run(Nesterov(momentum=0), start, pairs), run(SGD(), start, pairs))
    np.testing.assert_array_equal(run(Momentum(momentum=0), start, pairs), run(SGD(), start, pairs))
    np.testing.assert_array_equal(
        run(AdamW(weight_decay=0), start, pairs), run(Adam(), start, pairs)
    )


@every_optimizer
def test_training_goes_on_from_a_stored_state(kind, problem):
    """What is given another's slots and step count takes the same steps, bit for bit."""
    start, pairs = problem
    first, second = kind(), kind()
    p = run(first, start, pairs[:10])
    q, grads = p.copy(), np.empty_like(p)
    second.bind(q, grads, N_DECAYED)
    second.t = first.t
    for name, slot in second.slot_vectors.items():
        slot[:] = first.slot_vectors[name]
    for lr, g in pairs[10:15]:
        grads[:] = g
        second.step(lr)
    np.testing.assert_array_equal(q, run(kind(), start, pairs[:15]))


@every_optimizer
def test_bind_starts_afresh(kind, problem):
    """An optimizer that is bound again remembers nothing of its first training."""
    start, pairs = problem
    used = kind()
    run(used, start, pairs[:5])
    np.testing.assert_array_equal(run(used, start, pairs[:5]), run(kind(), start, pairs[:5]))


@every_optimizer
def test_gradients_are_left_as_they_are(kind):
    """The gradients still hold after the step, for whoever reports their norm."""
    grads = np.arange(1.0, 6.0)
    optimizer = kind()
    optimizer.bind(np.ones(5), grads, 5)
    optimizer.step(0.1)
    np.testing.assert_array_equal(grads, np.arange(1.0, 6.0))


@every_optimizer
def test_a_step_allocates_nothing_of_the_parameters_size(kind):
    """A step over 4 MB of parameters peaks below 10 kB, whatever type the rate has."""
    p, grads = np.ones((2, 1_000_000), np.float32)
    optimizer = kind()
    optimizer.bind(p, grads, 900_000)
    tracemalloc.start()
    optimizer.step(np.float64(0.01))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000


def descend(optimizer, gradient, start, steps):
    """Return where ``optimizer`` arrives, its rate falling linearly to 0."""
    p, grads = np.array(start), np.empty(len(start))
    optimizer.bind(p, grads, n_decayed=0)
    for i in range(steps):
        grads[:] = gradient(*p)
        optimizer.step(optimizer.lr * (1 - i / steps))
    return p


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1),
        Momentum(0.02),
        Nesterov(0.02),
        Adagrad(0.5),
        RMSprop(0.05),
        Adam(0.1),
        AdamW(0.1),
        NAdam(0.1),
    ],
    ids=repr,
)
def test_finds_the_minimum_of_a_parabola(optimizer):
    """f(x, y) = ((x - 1)² + 10·(y + 2)²) / 2 within 500 steps."""
    end = descend(optimizer, lambda x, y: (x - 1, 10 * (y + 2)), [0.0, 0.0], 500)
    np.testing.assert_allclose(end, [1, -2], atol=1e-6)


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.002),
        Momentum(0.001),
        Nesterov(0.001),
        Adagrad(1.0),
        RMSprop(0.01),
        Adam(0.05),
        AdamW(0.05),
        NAdam(0.05),
    ],
    ids=repr,
)
def test_finds_the_minimum_of_rosenbrock(optimizer):
    """f(x, y) = (1 - x)² + 100·(y - x²)², a bent and narrow valley, within 20,000 steps."""

    def gradient(x, y):
        return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)

    end = descend(optimizer, gradient, [-1.2, 1.0], 20_000)
    np.testing.assert_allclose(end, [1, 1], atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SGD, {"lr": 0}, "lr must be greater than 0, got 0"),
        (Adam, {"lr": float("nan")}, "lr must be greater than 0, got nan"),
        (Momentum, {"momentum": 1.5}, "momentum must be at least 0 and below 1, got 1.5"),
        (Momentum, {"initial_momentum": 1}, "initial_momentum must be at least 0 and below 1, got"),
        (Momentum, {"ramp": -1}, "ramp must be at least 0, got -1"),
        (Nesterov, {"momentum": -0.1}, "momentum must be at least 0 and below 1, got -0.1"),
        (Adagrad, {"eps": 0}, "eps must be greater than 0, got 0"),
        (RMSprop, {"rho": 1}, "rho must be at least 0 and below 1, got 1"),
        (NAdam, {"beta2": 1}, "beta2 must be at least 0 and below 1, got 1"),
        (AdamW, {"weight_decay": -1}, "weight_decay must be at least 0, got -1"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(kind, settings, message):
    """The message names the setting, its range and what it got."""
    with pytest.raises(ValueError, match=message):
        kind(**settings)


@pytest.mark.parametrize("n", [0, 1, 9, 10, 11, 35])
def test_blocks_cover_every_element_once(n):
    """The pieces of a vector, put together, are the vector; none is longer than asked for."""
    vector = np.arange(n)
    pieces = [vector[cut] for cut in blocks(0, n, size=10)]
    np.testing.assert_array_equal(np.concatenate([[], *pieces]), vector)
    assert all(1 <= len(piece) <= 10 for piece in pieces)


def test_a_cut_tells_its_length():
    """The last cut ends where the vector does, so that scratch can be cut to match."""
    assert sum(cut.stop - cut.start for cut in blocks(0, 2 * BLOCK + 5)) == 2 * BLOCK + 5
