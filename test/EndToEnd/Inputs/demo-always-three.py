#!/usr/bin/env python3
"""Stands in for tiny-run where a demo script has to notice a wrong answer: sees a 3 in every image."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "demo"))
from arrays import read_npy, write_npy

arguments = [argument.partition("@")[2] for argument in sys.argv if "=@" in argument]
images, probabilities = arguments
(count, *_), _ = read_npy(images)
write_npy(probabilities, (count, 10), ([0] * 3 + [1] + [0] * 6) * count)
print("bench: min 1 ms, median 2 ms")
