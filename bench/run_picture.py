"""Lay the figures of a stored run side by side, as in the README.

python bench/run_picture.py RUN PICTURE.png
"""

import sys

import matplotlib.image as mpimg
from matplotlib.figure import Figure

from mlp.runs import find_run

FIGURES = ("curves", "first_layer", "confusion", "mistakes")


def main(reference: str, picture: str) -> None:
    """Draw the picture of the run that ``reference`` means, as `mlp.evaluate` understands it."""
    folder = find_run(reference).figures
    images = [mpimg.imread(folder / f"{name}.png") for name in FIGURES]
    heights = [max(a.shape[0], b.shape[0]) for a, b in (images[:2], images[2:])]
    figure = Figure(figsize=(19.2, sum(heights) / 100), layout="constrained")
    for axes, image in zip(figure.subplots(2, 2, height_ratios=heights).flat, images, strict=True):
        axes.imshow(image)
        axes.axis("off")
    figure.savefig(picture, dpi=70)


if __name__ == "__main__":
    main(*sys.argv[1:])
