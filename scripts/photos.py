"""Photos for a session from a folder to production and back, enlarged from CIFAR-10.

``photos/`` holds 200 without a label and, in ``test/``, 80 with one; ``clients/`` what a served
model is asked about: 100 others, and 10 of the 200 once more, compressed further; ``truth.csv`` the
classes of all without a label, for whoever answers.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bgadl_tf.core.types import Images
from bgadl_tf.data.load import load_dataset

CLASSES = ("airplane", "dog", "ship", "truck")
SIZES = ((1600, 1200), (1200, 1600), (2000, 1500), (1024, 1024))
POOL, TEST, CLIENTS, AGAIN = 200, 80, 100, 10
QUALITY, LOWER_QUALITY = 88, 70
SEED = 7


def main(arguments: Sequence[str] | None = None) -> None:
    """Write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder to write them to")
    parser.add_argument("--data-dir", help="folder of prepared TFDS datasets")
    asked = parser.parse_args(arguments)
    photos, clients = asked.out / "photos", asked.out / "clients"
    data = load_dataset("cifar10", data_dir=asked.data_dir)
    wanted = [data.class_names.index(name) for name in CLASSES]
    rng = np.random.default_rng(SEED)
    rows, tested = (
        [row for row in rng.permutation(len(part)).tolist() if part.labels[row] in wanted]
        for part in (data.train, data.test)
    )
    truth: dict[str, str] = {}
    names = [photos / f"IMG_{number:04}.jpg" for number in range(POOL)]
    names += [clients / f"upload_{number:03}.jpg" for number in range(CLIENTS)]
    for number, (path, row) in enumerate(zip(names, rows, strict=False)):
        save(data.train.examples[row : row + 1][0], number, path)
        truth[path.name] = data.class_names[data.train.labels[row]]
    for number, row in enumerate(tested[:TEST]):
        folder = photos / "test" / data.class_names[data.test.labels[row]]
        save(data.test.examples[row : row + 1][0], number, folder / f"T_{number:04}.jpg")
    for number in range(AGAIN):
        first = photos / f"IMG_{number:04}.jpg"
        Image.open(first).save(clients / f"again_{number:02}.jpg", quality=LOWER_QUALITY)
        truth[f"again_{number:02}.jpg"] = truth[first.name]
    with (asked.out / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "class"), *truth.items()])


def save(image: Images, number: int, path: Path) -> None:
    """Write an image, uint8 ``[H, W, D]``, enlarged and cut to the next of ``SIZES``, as a JPEG."""
    width, height = SIZES[number % len(SIZES)]
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    enlarged = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    enlarged.crop((left, top, left + width, top + height)).save(path, quality=QUALITY)


if __name__ == "__main__":
    main()
