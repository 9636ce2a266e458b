"""Schedules: their ends, their shape between, and the plateau that lowers the rate."""

from itertools import pairwise

import numpy as np
import pytest

from mlp.nn.schedules import (
    Constant,
    Cosine,
    CosLog,
    Exponential,
    Linear,
    OneCycle,
    ReduceOnPlateau,
    Step,
    WarmupCosine,
)

HORIZON = 12.0  # epochs


def factors(schedule, start=0.0, end=HORIZON):
    """Return the factors at 200 times from ``start`` to ``end``."""
    return [schedule.factor(epoch, HORIZON) for epoch in np.linspace(start, end, 200)]


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [
        (Constant(), 1, 1),
        (Step(every=4, gamma=0.5), 1, 0.125),
        (Exponential(gamma=0.9), 1, 0.9**12),
        (Linear(), 1, 0),
        (Linear(final=0.3), 1, 0.3),
        (Cosine(), 1, 0),
        (Cosine(final=0.3), 1, 0.3),
        (WarmupCosine(warmup=3, final=0.3), 0.01, 0.3),
        (WarmupCosine(warmup=0), 1, 0),
        (CosLog(), 0, 0),
        (CosLog(cycles=2), 0, 0),
        (OneCycle(warmup_fraction=0.25, initial=0.1, final=0.001), 0.1, 0.001),
    ],
    ids=repr,
)
def test_ends_are_exact(schedule, first, last):
    """At epoch 0 and at the horizon the factor is what was asked for, to the last bit."""
    assert schedule.factor(0, HORIZON) == first
    assert schedule.factor(HORIZON, HORIZON) == last


@pytest.mark.parametrize(
    "schedule",
    [Linear(0.3), Cosine(0.3), WarmupCosine(0.3), OneCycle(0.3)],
    ids=repr,
)
def test_past_the_horizon_the_factor_stays_at_its_end(schedule):
    """Training may go on longer than the schedule's own horizon."""
    assert {schedule.factor(epoch, HORIZON) for epoch in (12, 12.5, 1000)} == {0.3}


@pytest.mark.parametrize("schedule", [Step(every=2), Exponential(), Linear(), Cosine()], ids=repr)
def test_the_decaying_ones_never_rise(schedule):
    """Each factor is at most the one before."""
    assert all(later <= earlier for earlier, later in pairwise(factors(schedule)))


@pytest.mark.parametrize(
    "schedule", [WarmupCosine(warmup=3), OneCycle(warmup_fraction=0.25)], ids=repr
)
def test_the_peak_is_met_from_both_sides(schedule):
    """The factor rises to 1 at epoch 3 of 12, without a jump, and falls from there."""
    assert schedule.factor(3, HORIZON) == 1
    assert schedule.factor(3 - 1e-6, HORIZON) == pytest.approx(1, abs=1e-5)
    assert schedule.factor(3 + 1e-6, HORIZON) == pytest.approx(1, abs=1e-5)
    assert all(later > earlier for earlier, later in pairwise(factors(schedule, end=3)))
    assert all(later < earlier for earlier, later in pairwise(factors(schedule, start=3)))


def test_step_changes_at_the_end_of_an_epoch():
    """With ``every=2`` the first two epochs run at the base rate, the third at the next."""
    schedule = Step(every=2, gamma=0.1)
    assert [schedule.factor(epoch, HORIZON) for epoch in (0, 1.999, 2, 3.999)] == [1, 1, 0.1, 0.1]


def test_half_way():
    """In the middle, the line and the cosine have done half of the way."""
    assert Linear(final=0.2).factor(6, HORIZON) == pytest.approx(0.6)
    assert Cosine(final=0.2).factor(6, HORIZON) == pytest.approx(0.6)
    assert WarmupCosine(final=0.2, warmup=2).factor(7, HORIZON) == pytest.approx(0.6)
    assert WarmupCosine(warmup=2).factor(1, HORIZON) == pytest.approx(0.505)


def test_cosine_follows_the_published_formula():
    """Loshchilov & Hutter 2017, equation 5, with η_max = 1 and η_min = ``final``."""
    epochs = np.linspace(0, HORIZON, 200)
    formula = 0.3 + (1 - 0.3) * (1 + np.cos(np.pi * epochs / HORIZON)) / 2
    np.testing.assert_allclose(factors(Cosine(final=0.3)), formula)


def test_coslog_follows_the_published_formula():
    """Half of 1 - cos(2π·log₂(1 + 15t)): it is 0 at t = 1/15, 3/15, 7/15 and 1."""
    t = np.linspace(0, 1, 200)
    formula = 0.5 - 0.5 * np.cos(2 * np.pi * np.log2(1 + 15 * t))
    np.testing.assert_allclose(factors(CosLog()), formula, atol=1e-12)
    lows = [CosLog().factor(k / 15 * HORIZON, HORIZON) for k in (0, 1, 3, 7, 15)]
    np.testing.assert_allclose(lows, 0, atol=1e-12)


def test_a_training_shorter_than_the_warmup_stays_on_the_ramp():
    """One epoch of a preset with five of warm-up sees a fifth of the ramp, and no error."""
    schedule = WarmupCosine(warmup=5)
    assert schedule.factor(0.999, 1) == pytest.approx(0.01 + 0.99 * 0.999 / 5)


def test_the_horizon_is_none_unless_set():
    """None leaves it to whoever knows the length of the training."""
    assert Constant().horizon is None
    assert Cosine().horizon is None
    assert Cosine(horizon=7).horizon == 7


LOSSES = [5.0, 4.0, 4.0, 4.5, 4.0, 3.0, 3.0, 3.0]
HALVINGS = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(("sign", "higher_is_better"), [(1, False), (-1, True)])
def test_a_plateau_lowers_the_rate(sign, higher_is_better):
    """Three epochs without progress halve the rate; one with progress starts the count anew."""
    schedule = ReduceOnPlateau(gamma=0.5, patience=3)
    seen = []
    for loss in LOSSES:
        schedule.observe(sign * loss, higher_is_better)
        seen.append(schedule.factor(0, HORIZON))
    assert seen == HALVINGS


def test_the_count_starts_anew_after_a_reduction():
    """On an endless plateau the rate falls once in ``patience`` epochs."""
    schedule = ReduceOnPlateau(gamma=0.1, patience=2)
    for _ in range(1 + 2 * 3):
        schedule.observe(1.0, higher_is_better=False)
    assert schedule.factor(0, HORIZON) == pytest.approx(0.1**3)


def test_a_gain_of_min_delta_is_no_progress():
    """Progress must exceed ``min_delta``, counted from the best value."""
    schedule = ReduceOnPlateau(gamma=0.5, patience=1, min_delta=0.25)
    for loss, factor in [(2.0, 1), (1.5, 1), (1.25, 0.5), (1.0, 0.5), (1.0, 0.25)]:
        schedule.observe(loss, higher_is_better=False)
        assert schedule.factor(0, HORIZON) == factor


def test_a_plateau_goes_on_from_a_stored_state():
    """What a state was loaded into gives the same factors at every moment."""
    for interrupted in range(len(LOSSES)):
        schedule = ReduceOnPlateau(gamma=0.5, patience=3)
        for loss in LOSSES[:interrupted]:
            schedule.observe(loss, higher_is_better=False)
        state, schedule = schedule.state(), ReduceOnPlateau(gamma=0.5, patience=3)
        schedule.load_state(state)
        for loss in LOSSES[interrupted:]:
            schedule.observe(loss, higher_is_better=False)
        assert schedule.factor(0, HORIZON) == HALVINGS[-1]


def test_the_others_learn_nothing_from_a_metric():
    """They can be observed to and stored like any other, to no effect."""
    schedule = Cosine()
    schedule.observe(1.0, higher_is_better=True)
    schedule.load_state(schedule.state())
    assert schedule == Cosine()


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Step, {"every": 0}, "every must be greater than 0, got 0"),
        (Exponential, {"gamma": -1}, "gamma must be greater than 0, got -1"),
        (Linear, {"final": -0.1}, "final must be at least 0, got -0.1"),
        (Cosine, {"horizon": 0}, "horizon must be greater than 0, got 0"),
        (WarmupCosine, {"warmup": -1}, "warmup must be at least 0, got -1"),
        (WarmupCosine, {"warmup": 5, "horizon": 3}, "horizon must be at least 5, got 3"),
        (CosLog, {"cycles": 0}, "cycles must be at least 1, got 0"),
        (CosLog, {"horizon": -1}, "horizon must be greater than 0, got -1"),
        (OneCycle, {"warmup_fraction": 1}, "warmup_fraction must be between 0 and 1, got 1"),
        (OneCycle, {"initial": 0}, "initial must be greater than 0, got 0"),
        (ReduceOnPlateau, {"gamma": 1}, "gamma must be between 0 and 1, got 1"),
        (ReduceOnPlateau, {"patience": 0}, "patience must be at least 1, got 0"),
        (ReduceOnPlateau, {"min_delta": -1}, "min_delta must be at least 0, got -1"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(kind, settings, message):
    """The message names the setting, its range and what it got."""
    with pytest.raises(ValueError, match=message):
        kind(**settings)


@pytest.mark.parametrize("every", [0.1, 0.3, 0.7])
def test_step_with_a_fraction_of_an_epoch_is_on_time(every):
    """The k-th multiple of ``every`` is rounded, and has the factor of k."""
    factors = [Step(every, gamma=0.5).factor(k * every, 100) for k in range(30)]
    assert factors == [0.5**k for k in range(30)]


def test_step_is_not_early():
    assert Step(0.5, gamma=0.5).factor(0.4999, 100) == 1
