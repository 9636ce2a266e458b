"""The figures of a run: their numbers and words."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mlp.data import Part, Scaler
from mlp.reports import draw_distortions, draw_evaluation_figures, draw_training_figures
from mlp.reports.class_figures import confusion, mistakes, most_confident_mistakes
from mlp.reports.curves import learning_curves
from mlp.reports.run_figures import distortions, first_layer
from mlp.training import Classification, Evaluation

NO_SCALING = Scaler(np.zeros(16, np.float32), np.ones(16, np.float32))


def history(n_epochs: int, *parts: str) -> list[dict[str, float]]:
    return [
        {"epoch": e} | {f"{p}/{m}": 1 / e for p in parts for m in ("loss", "accuracy")}
        for e in range(1, n_epochs + 1)
    ]


def evaluated(n: int, n_classes: int, wrong: int) -> tuple[Evaluation, Part]:
    """``n`` examples of 16 features, of which the first ``wrong`` were mistaken."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    scores = np.full((n, n_classes), 0.1)
    scores[np.arange(n), labels] = 0.9
    scores[np.arange(wrong), (labels[:wrong] + 1) % n_classes] = 0.95
    part = Part(rng.integers(0, 256, (n, 16), dtype=np.uint8), labels, None, NO_SCALING)
    return Evaluation({"loss": 0.5, "accuracy": 1 - wrong / n}, scores, labels), part


def bars(axes) -> dict[str, tuple[float, str]]:
    """Return the length of each bar and what is written at its end, by its name."""
    names = [label.get_text() for label in axes.get_yticklabels()]
    lengths = [bar.get_width() for bar in axes.patches]
    ends = [text.get_text() for text in axes.texts]
    return dict(zip(names, zip(lengths, ends, strict=True), strict=True))


class TestFiles:
    def test_a_run_on_images_has_four_figures(self, tmp_path: Path):
        evaluation, part = evaluated(30, 3, wrong=7)
        weights = np.random.default_rng(0).normal(size=(16, 70))
        draw_training_figures(tmp_path / "f", history(5, "train", "val"), 3, weights, (4, 4))
        draw_evaluation_figures(
            tmp_path / "f", Classification.figures, evaluation, part, ("a", "b", "c"), (4, 4)
        )
        files = sorted((tmp_path / "f").iterdir())
        names = ["confusion.png", "curves.png", "first_layer.png", "mistakes.png"]
        assert [file.name for file in files] == names
        assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)

    def test_distortions_are_seen_beside_their_originals(self, tmp_path: Path):
        images = np.zeros((2, 5, 4, 4), np.float32)
        images[1, 3] = 7
        draw_distortions(tmp_path, images)
        assert (tmp_path / "augmentation.png").read_bytes().startswith(b"\x89PNG")
        canvas = distortions(images).axes[0].images[0].get_array()
        np.testing.assert_array_equal(np.argwhere(canvas == 7).mean(axis=0), (7.5, 19.5))

    def test_rows_that_are_no_images_have_no_weights_to_look_at(self, tmp_path: Path):
        evaluation, part = evaluated(30, 3, wrong=7)
        draw_training_figures(tmp_path, history(1, "train"), 1, np.ones((16, 2)), None)
        draw_evaluation_figures(
            tmp_path, Classification.figures, evaluation, part, ("a", "b", "c"), None
        )
        names = {file.name for file in tmp_path.iterdir()}
        assert names == {"curves.png", "confusion.png", "mistakes.png"}

    @pytest.mark.parametrize("image_shape", [(4, 4), None])
    def test_a_flawless_result_can_be_drawn(self, tmp_path: Path, image_shape):
        evaluation, part = evaluated(6, 2, wrong=0)
        draw_evaluation_figures(
            tmp_path, Classification.figures, evaluation, part, ("a", "b"), image_shape
        )
        assert (tmp_path / "mistakes.png").exists()

    @pytest.mark.e2e
    def test_memory_does_not_grow_with_the_square_of_the_number_of_classes(self, tmp_path: Path):
        evaluation, part = evaluated(40, 4_000, wrong=7)
        tracemalloc.start()
        draw_evaluation_figures(
            tmp_path, Classification.figures, evaluation, part, [str(i) for i in range(4_000)], None
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 64e6  # a confusion matrix of all classes has 128 MB

    def test_an_interrupted_first_epoch_leaves_nothing_to_draw(self, tmp_path: Path):
        draw_training_figures(tmp_path, [], 0, np.empty((0, 0)), (4, 4))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.e2e
    def test_pyplot_and_its_global_state_are_not_touched(self, tmp_path: Path):
        code = (
            "import sys; from pathlib import Path; import numpy as np;"
            "from mlp.reports import draw_training_figures;"
            f"draw_training_figures(Path({str(tmp_path)!r}),"
            "[{'epoch': 1, 'train/loss': 1., 'train/accuracy': 1.}], 1, np.ones((1, 1)), (1, 1));"
            "sys.exit('matplotlib.pyplot' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestContent:
    def test_curves_mark_the_best_epoch(self):
        left, right = learning_curves(history(8, "train", "val"), best_epoch=6).axes
        assert (left.get_title(), right.get_title()) == ("Loss", "Accuracy")
        training, validation, best = left.get_lines()
        assert (
            list(training.get_ydata())
            == list(validation.get_ydata())
            == [1 / e for e in range(1, 9)]
        )
        assert list(best.get_xdata()) == [6, 6]

    def test_without_validation_there_is_one_curve(self):
        left, _ = learning_curves(history(8, "train"), best_epoch=8).axes
        assert [line.get_label() for line in left.get_lines()] == ["training", "best epoch: 8"]

    def test_confusion_shows_the_counts(self):
        evaluation, part = evaluated(14, 2, wrong=1)
        axes = confusion(evaluation, part, ("cat", "dog"), None).axes[0]
        assert [text.get_text() for text in axes.texts] == ["6", "1", "7"]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
        assert axes.get_title() == "92.86% of 14 correct"

    def test_of_many_classes_the_most_frequent_mistakes_are_listed(self):
        labels = np.arange(80) % 40  # two of each
        predictions = labels.copy()
        predictions[[3, 43, 5]] = 4, 4, 0
        evaluation = Evaluation({"accuracy": 77 / 80}, np.eye(40)[predictions], labels)
        figure = confusion(evaluation, None, [f"c{i}" for i in range(40)], None)
        assert figure.get_suptitle() == "96.25% of 80 correct; 40 classes"
        assert [bars(axes) for axes in figure.axes] == [
            {"c3 → c4": (2, "2 of 2"), "c5 → c0": (1, "1 of 2")},
            {"c3": (0, "0 of 2"), "c5": (0.5, "1 of 2")},
        ]

    def test_many_classes_without_a_mistake(self):
        evaluation, part = evaluated(40, 40, wrong=0)
        figure = confusion(evaluation, part, [f"c{i}" for i in range(40)], None)
        assert [bars(axes) for axes in figure.axes] == [{}, {}]

    def test_beside_each_mistake_stands_what_was_predicted_and_what_is_true(self):
        evaluation, part = evaluated(9, 3, wrong=0)
        evaluation.answers[:2] = [0.2, 0.5, 0.3], [0.9, 0.06, 0.04]  # true are a and b
        evaluation.answers[2:] = np.eye(3)[evaluation.labels[2:]]
        axes = mistakes(evaluation, part, ("a", "b", "c"), (4, 4)).axes[0]
        words = [text.get_text() for text in axes.texts]
        assert words == [
            *("a\npredicted, 90.0%", "b\ntrue, 6.0%"),
            *("b\npredicted, 50.0%", "a\ntrue, 20.0%"),
        ]
        first, second = (axes.texts[i].get_position() for i in (0, 2))
        assert first[0] > 4 - 0.5  # right of its image
        assert second[0] > first[0]
        assert axes.get_title().startswith("All 2 mistakes in 9 examples\nwith the probability")

    def test_scores_that_are_no_probabilities_are_not_called_so(self):
        evaluation, part = evaluated(9, 3, wrong=1)
        axes = mistakes(evaluation, part, ("a", "b", "c"), (4, 4)).axes[0]
        assert axes.texts[0].get_text() == "b\npredicted, 0.95"
        assert "with the score" in axes.get_title()

    def test_zero_is_the_middle_of_the_weights_colours(self):
        image = first_layer(np.array([[0.5, -2.0], [0.1, 0.0]]), (1, 2)).axes[0].get_images()[0]
        assert image.norm.vmin == -image.norm.vmax < 0

    def test_of_many_units_those_that_learned_most_are_shown(self):
        weights = np.full((4, 200), 0.1)
        weights[:, 150] = 5.0
        axes = first_layer(weights, (2, 2)).axes[0]
        assert axes.get_title().startswith("The 40 of 200 units")
        assert np.nanmax(axes.get_images()[0].get_array()) == 5


class TestMostConfidentMistakes:
    def test_the_highest_score_of_a_wrong_class_comes_first(self):
        labels = np.array([0, 1, 2, 0])
        scores = np.array(
            [[0.4, 0.6, 0.0], [0.9, 0.0, 0.1], [0.1, 0.1, 0.8], [0.3, 0.0, 0.7]], np.float32
        )
        assert most_confident_mistakes(labels, scores, 10).tolist() == [1, 3, 0]
        assert most_confident_mistakes(labels, scores, 2).tolist() == [1, 3]
