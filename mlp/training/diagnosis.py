"""What looks inside a network, and its history, say about a training: a sentence a symptom.

A rule knows one symptom and reads recorded numbers alone. Its bounds lie between what a hundred
healthy trainings (all optimizers, presets, tasks, activations) and a hundred with a planted fault
have shown; the docstrings tell how far the healthy ones go.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite

from mlp.training.evidence import Evidence
from mlp.training.inspection import Inspection

SATURATING = ("sigmoid", "tanh", "scaled_tanh")


def diagnose(
    inspections: Sequence[Inspection],
    history: Sequence[Mapping[str, float]],
    diverged: bool = False,
) -> list[str]:
    """Return what is wrong with a training and what may help, causes before consequences.

    Parameters
    ----------
    inspections : sequence of Inspection
        In the order of their epochs. Without the one before the training nothing is said.
    history : sequence of mapping
        The metrics of each epoch.
    diverged : bool
        Whether the training ended at a value that is not finite.
    """
    if not inspections or inspections[0].facts is None:
        return []
    evidence = Evidence(inspections[0].facts, inspections, history, diverged)
    found = [sentence for rule in RULES if (sentence := rule(evidence))]
    return found or [sentence for rule in LAST_RULES if (sentence := rule(evidence))]


def input_scale(evidence: Evidence) -> str | None:
    """Find inputs far from the size 1, for which weights and learning rates are meant.

    LeCun et al., "Efficient BackProp", 1998, section 4.3: mean 0, deviation 1. Healthy: 0.3 to 1.
    """
    rms = evidence.facts.input_rms
    if 0.03 <= rms <= 5:
        return None
    size = "large" if rms > 1 else "small"
    return (
        f"The inputs are too {size}: their root mean square is {rms:.3g}, and about 1 is meant. "
        "Set data.scale=standardize, or unit."
    )


def targets_out_of_range(evidence: Evidence) -> str | None:
    """Find targets that the output activation cannot come to."""
    (low, high), outputs = evidence.facts.targets, evidence.facts.outputs
    if outputs is None or (outputs[0] <= low and high <= outputs[1]):
        return None
    return (
        f"Loss and targets do not fit: the targets reach from {low:g} to {high:g}, and the output "
        f"activation gives {outputs[0]:g} to {outputs[1]:g}. Change loss.low and loss.high or "
        "loss.output_activation, or take another loss."
    )


def equal_units(evidence: Evidence) -> str | None:
    """Find units that begin with the same weights: with the same gradients they stay the same."""
    if not evidence.units_are_equal:
        return None
    return (
        "All units of a hidden layer began with the same weights (zeros, or a constant), so that "
        "they learn the same. Draw them at random: model.weight_init=he_normal."
    )


def vanishing_gradients(evidence: Evidence) -> str | None:
    """Find a gradient that shrinks from layer to layer of saturating units on its way back.

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    2010, section 4. Healthy, through three layers: 0.006 and more of the last layer's.
    """
    *hidden, last = evidence.looks[0].layers
    deep = sum(layer.activation in SATURATING for layer in hidden) >= 3
    if not deep or evidence.units_are_equal:
        return None
    weakest = min(hidden, key=lambda layer: layer.gradient_rms)
    if weakest.gradient_rms >= 4e-3 * last.gradient_rms:
        return None
    return (
        f"The gradients vanish on their way back: in layer {weakest.number} they began at "
        f"{weakest.gradient_rms / last.gradient_rms:.0e} of those in layer {last.number}. Use "
        "model.activation=relu, model.batch_norm=true, or fewer hidden layers."
    )


def dead_units(evidence: Evidence) -> str | None:
    """Find units that pass no gradient back on any inspected row.

    Healthy: 0.28 of a layer; and sigmoids that come back, having been pushed aside at first.
    """
    if evidence.units_are_equal:
        return None
    layers = evidence.looks[-1].layers
    place = max(range(len(layers)), key=lambda i: layers[i].dead or 0)
    layer, shares = layers[place], [look.layers[place].dead or 0 for look in evidence.looks]
    at_first, share = shares[0], shares[-1]
    saturates = layer.activation in SATURATING
    if share < 0.4 or (saturates and share < max(shares) - 0.05):
        return None
    word = "saturated" if saturates else "dead"
    sentence = (
        f"{100 * share:.0f} % of the units of layer {layer.number} are {word} (before the training "
        f"{100 * at_first:.0f} %): on no inspected row do they pass a gradient back. "
    )
    if at_first >= 0.4:
        return sentence + (
            "Begin with small weights and no biases (model.weight_init, model.bias_init=zeros), "
            "and give each input mean 0 and deviation 1 (data.scale=standardize)."
        )
    return sentence + (
        "Too large steps pushed them there: lower optimizer.lr, or begin with a warm-up "
        "(schedule=warmup_cosine)."
    )


def other_validation_data(evidence: Evidence) -> str | None:
    """Find validation inputs with other means than the training inputs. Healthy: z² up to 3.5."""
    shift, z2 = evidence.facts.shift, evidence.facts.shift_z2
    if shift is None or z2 is None or shift < 0.2 or z2 < 6:
        return None
    size = f"{shift:.2g}" if shift < 10 else "more than 10"
    return (
        "The validation data are not distributed like the training data: their inputs differ by "
        f"{size} standard deviations, {z2**0.5:.1f} times what chance makes. Draw the validation "
        "rows at random (data.validation=stratified), and prepare both parts in the same way."
    )


def too_large_steps(evidence: Evidence) -> str | None:
    """Find a training that diverges, or large steps and their work: a loss that jumps, dead units.

    Healthy: ratios up to 0.04, and from 0.01 on neither a jump by more than 1.5 nor more than 0.1
    of a layer's units that die in the first epoch.
    """
    ratio, early, sign = evidence.early_ratio, evidence.early, None
    if evidence.units_are_equal:
        return None
    if evidence.diverged:
        sign = "the training diverged"
    elif early and ratio >= 0.01:
        jump = _largest_jump(evidence.values("train/loss"), 0.02 * evidence.chance)
        dying = _deaths(evidence.looks[0], early)
        if jump >= 2:
            sign = f"train/loss jumped to {jump:.1f} times its value from one epoch to the next"
        elif dying >= 0.2:
            sign = f"{100 * dying:.0f} % of a layer's units died by epoch {early.epoch}"
        elif ratio >= 0.06:
            sign = "the steps are large"
    if sign is None:
        return None
    steps = f" (a step was {_share(ratio)}; 0.1 % is usual)" if isfinite(ratio) else ""
    return f"The learning rate is too high: {sign}{steps}. Lower optimizer.lr three to ten times."


def too_small_steps(evidence: Evidence) -> str | None:
    """Find small steps with a loss that falls to the last and never rises. Healthy: 0.0012."""
    losses = evidence.values("train/loss")
    watched = evidence.values("val/loss") or losses
    if not evidence.early_ratio < 0.001 or len(losses) < 2 or evidence.begins_badly:
        return None
    n_rises = sum(b > a for a, b in pairwise(losses))
    best = watched.index(min(watched)) + 1
    if n_rises > 0.02 * len(losses) or best < 0.8 * len(losses):
        return None
    return (
        f"The learning rate is too low: a step was {_share(evidence.early_ratio)} "
        f"(0.1 % and more is usual), and the loss still fell steadily after {len(losses)} epochs. "
        "Raise optimizer.lr three to ten times."
    )


def too_much_regularization(evidence: Evidence) -> str | None:
    """Find weights that a penalty holds down while the training loss stays high.

    Healthy: penalties that begin below 0.1 of the loss of a constant answer, or weights that keep
    0.6 of their size.
    """
    losses, penalties = evidence.values("train/loss"), evidence.values("train/penalty")
    if not losses or not losses[-1] > 0.1 * evidence.chance:
        return None
    pairs = zip(evidence.looks[0].layers, evidence.looks[-1].layers, strict=True)
    kept = min(b.weight_rms / a.weight_rms if a.weight_rms else 1.0 for a, b in pairs)
    if kept < 0.5:
        sign = f"the weights of a layer shrank to {100 * kept:.0f} %"
    elif penalties and penalties[0] > 5 * evidence.chance:
        sign = f"the penalty began at {penalties[0]:.3g}"
    else:
        return None
    which = "model.l2 or model.l1" if penalties else "optimizer.weight_decay"
    return (
        f"The weights are penalized too much: {sign}, and train/loss is still {losses[-1]:.3g}, "
        f"where a constant answer has {evidence.chance:.3g}. Lower {which} ten times."
    )


def labels_without_information(evidence: Evidence) -> str | None:
    """Find a training of which nothing helps on other rows. Healthy: 0.92 of a constant's loss."""
    losses, validation = evidence.values("train/loss"), evidence.values("val/loss")
    few_rows = evidence.facts.shift is None
    if not validation or few_rows or not min(validation) >= 0.97 * evidence.chance:
        return None
    if not losses[-1] <= 0.97 * evidence.chance and len(losses) < 10:  # it may still begin
        return None
    return (
        "What is learned from the training rows is of no use on others: val/loss was never lower "
        f"than {min(validation):.3g}, and a constant answer has {evidence.chance:.3g}. The labels "
        "may be shuffled or belong to other rows: look at some rows with their labels."
    )


def bad_beginning(evidence: Evidence) -> str | None:
    """Find a first loss far above that of a constant answer, which is ln C for C equal classes."""
    if not evidence.begins_badly:
        return None
    return (
        f"The loss began at {evidence.looks[0].loss:.3g}, and a constant answer has "
        f"{evidence.chance:.3g}: the first outputs are too large. Begin with smaller weights and "
        "biases (model.weight_init, model.bias_init=zeros)."
    )


def _largest_jump(losses: Sequence[float], floor: float) -> float:
    """Return the largest quotient of neighbouring losses; what is below ``floor`` is noise."""
    return max((b / max(a, floor / 2) for a, b in pairwise(losses) if b > floor), default=0.0)


def _share(ratio: float) -> str:
    return f"{100 * ratio:.2g} % of the weights" if ratio < 1 else f"{ratio:.2g} times the weights"


def _deaths(before: Inspection, after: Inspection) -> float:
    """Return the largest share of a layer's units that have died in between."""
    pairs = zip(before.layers, after.layers, strict=True)
    return max((b.dead or 0) - (a.dead or 0) for a, b in pairs)


Rule = Callable[[Evidence], str | None]
RULES: tuple[Rule, ...] = (
    input_scale,
    targets_out_of_range,
    equal_units,
    vanishing_gradients,
    other_validation_data,
    too_large_steps,
    too_small_steps,
    dead_units,
    too_much_regularization,
)
# What these see may follow from any of the above.
LAST_RULES: tuple[Rule, ...] = (labels_without_information, bad_beginning)
