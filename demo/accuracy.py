#!/usr/bin/env python3
"""Counts how many digits of an MNIST file the demo's net gets right when tiny-run runs it.

    python3 demo/accuracy.py --tiny-run build/release/bin/tiny-run FOLDER_WITH_MNIST_IDX_FILES

The folder holds one *images-idx3-ubyte.gz and one *labels-idx1-ubyte.gz. The exit status is 0 only if
the accuracy reaches --minimum. Needs nothing but Python's standard library.
"""

import argparse
import pathlib
import sys
import tempfile

import classifier
from arrays import read_mnist, write_npy

PIXELS = 28 * 28
SCALED = [value / 255 for value in range(256)]


def count_right(tiny_run, target, images, labels, batch):
    """Sends the digits through the net, `batch` at a time; returns how many it got right."""
    right = 0
    with tempfile.TemporaryDirectory(prefix="tiny-accuracy-") as folder:
        path = pathlib.Path(folder) / "images.npy"
        for first in range(0, len(labels), batch):
            expected = labels[first : first + batch]
            count = len(expected)
            pixels = images[first * PIXELS : (first + count) * PIXELS]
            write_npy(path, (count, 1, 28, 28), map(SCALED.__getitem__, pixels))
            rows, _ = classifier.classify(tiny_run, path, "--target", target, "--dim", f"batch={count}")
            if len(rows) != count:
                raise classifier.Failure(f"tiny-run gave {len(rows)} results for {count} digits")
            right += sum(classifier.best(row) == label for row, label in zip(rows, expected))
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=pathlib.Path, help="folder with the gzipped IDX files")
    parser.add_argument("--tiny-run", default="tiny-run", help="default: the one in the PATH")
    parser.add_argument("--target", default="cpu", help="what to run on (default: cpu)")
    parser.add_argument("--batch", type=int, default=1000, help="digits per run (default: 1000)")
    parser.add_argument("--last", type=int, help="use only the last LAST digits of the file")
    parser.add_argument("--minimum", type=float, default=98.5, help="percent to reach (default: 98.5)")
    options = parser.parse_args()
    if options.batch < 1 or (options.last is not None and options.last < 1):
        parser.error("--batch and --last must be at least 1")
    try:
        images, labels = read_mnist(options.mnist)
        if options.last is not None:
            images, labels = images[-options.last * PIXELS :], labels[-options.last :]
        right = count_right(options.tiny_run, options.target, images, labels, options.batch)
    except (classifier.Failure, OSError, ValueError) as error:
        sys.exit(f"accuracy: {error}")
    percent = 100 * right / len(labels)
    print(f"accuracy: {right} of {len(labels)} digits right, {percent:.2f} %")
    if percent < options.minimum:
        sys.exit(f"accuracy: {percent:.2f} % is below the {options.minimum:g} % asked for")


if __name__ == "__main__":
    main()
