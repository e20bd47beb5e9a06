#!/usr/bin/env python3
"""Draws the demo's ten digits as a pen would, and writes them as demo/digits/0.npy to 9.npy.

    python3 demo/draw_digits.py

The digits of the demo are our own drawings, so that no data set has to ship with the project. They
follow the conventions of MNIST, which is what the classifier knows: 28x28, white on black, the digit
fitted into 20x20 and its centre of mass in the middle. The result is the same on every machine.
"""

import argparse
import math
import pathlib

from arrays import write_npy

SIZE = 28
BOX = 20
PEN_RADIUS = 1.3
# Width of the pen's soft edge in pixels: one pixel is what anti-aliasing needs, the rest is ink.
SOFTNESS = 1.3

# For every digit a slant (how far the top leans right, as a part of the height) and its strokes: the
# points a hand passes on its way, x to the right and y down. A smooth curve joins them; a point given
# twice in a row is a corner, where the curve may break.
DIGITS = {
    0: (0.16, [[(0.52, 0.02), (0.22, 0.18), (0.10, 0.52), (0.22, 0.88), (0.48, 0.99), (0.74, 0.82),
                (0.82, 0.45), (0.68, 0.10), (0.44, 0.03)]]),
    1: (0.18, [[(0.34, 0.22), (0.50, 0.03), (0.50, 0.03), (0.51, 0.50), (0.49, 1.00)]]),
    2: (0.10, [[(0.14, 0.24), (0.28, 0.05), (0.56, 0.02), (0.74, 0.22), (0.64, 0.48), (0.38, 0.74),
                (0.08, 0.97), (0.08, 0.97), (0.42, 0.93), (0.86, 0.96)]]),
    3: (0.08, [[(0.16, 0.14), (0.40, 0.01), (0.68, 0.12), (0.64, 0.34), (0.36, 0.47), (0.36, 0.47),
                (0.66, 0.54), (0.78, 0.76), (0.54, 0.97), (0.26, 0.97), (0.10, 0.84)]]),
    4: (0.14, [[(0.24, 0.03), (0.18, 0.30), (0.14, 0.56), (0.14, 0.56), (0.44, 0.58), (0.82, 0.53)],
               [(0.66, 0.06), (0.64, 0.48), (0.62, 1.00)]]),
    5: (0.12, [[(0.24, 0.05), (0.20, 0.26), (0.17, 0.46), (0.17, 0.46), (0.44, 0.38), (0.70, 0.50),
                (0.72, 0.78), (0.46, 0.97), (0.12, 0.92)],
               [(0.23, 0.05), (0.50, 0.06), (0.80, 0.02)]]),
    6: (0.12, [[(0.64, 0.01), (0.36, 0.20), (0.17, 0.52), (0.19, 0.86), (0.44, 1.00), (0.68, 0.86),
                (0.68, 0.62), (0.46, 0.52), (0.20, 0.70)]]),
    7: (0.10, [[(0.10, 0.10), (0.44, 0.07), (0.80, 0.04), (0.80, 0.04), (0.62, 0.40), (0.46, 0.72),
                (0.40, 1.00)]]),
    8: (0.12, [[(0.70, 0.12), (0.44, 0.02), (0.24, 0.20), (0.42, 0.44), (0.68, 0.66), (0.66, 0.90),
                (0.40, 1.00), (0.18, 0.84), (0.34, 0.56), (0.62, 0.36), (0.72, 0.14)]]),
    9: (0.12, [[(0.72, 0.20), (0.50, 0.03), (0.22, 0.16), (0.20, 0.42), (0.44, 0.52), (0.66, 0.36),
                (0.73, 0.16), (0.73, 0.16), (0.70, 0.56), (0.60, 1.00)]]),
}  # fmt: skip


def smooth(points, steps=8):
    """Returns a polyline along the Catmull-Rom curve through `points`, broken at doubled points."""
    line = []
    for i in range(len(points) - 1):
        before, start, end, after = (points[min(max(j, 0), len(points) - 1)] for j in range(i - 1, i + 3))
        if start == end:
            continue
        for step in range(steps + 1):
            t = step / steps
            line.append(tuple(
                b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
                for a, b, c, d in zip(before, start, end, after)))  # fmt: skip
    return line


def distance(x, y, start, end):
    """Distance of a point from the segment `start`-`end`, and where along it (0 to 1) the foot is."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    t = 0.0 if length == 0 else min(max(((x - start[0]) * dx + (y - start[1]) * dy) / length, 0.0), 1.0)
    return math.hypot(x - start[0] - t * dx, y - start[1] - t * dy), t


def ink(lines):
    """Renders polylines (in pixels) with the soft pen; returns SIZE*SIZE values from 0 to 1."""
    pixels = []
    for y in range(SIZE):
        for x in range(SIZE):
            depth = -math.inf
            for line in lines:
                for i, (start, end) in enumerate(zip(line, line[1:])):
                    away, t = distance(x, y, start, end)
                    # A hand presses less where it starts and where it lifts off.
                    pressure = 0.8 + 0.3 * math.sin(math.pi * (i + t) / (len(line) - 1))
                    depth = max(depth, PEN_RADIUS * pressure - away)
            pixels.append(min(max(depth / SOFTNESS + 0.5, 0.0), 1.0))
    return pixels


def draw(slant, strokes):
    lines = [[(x + slant * (0.5 - y), y) for x, y in smooth(stroke)] for stroke in strokes]
    xs, ys = [x for line in lines for x, _ in line], [y for line in lines for _, y in line]
    # Fit the inked area, pen included, into the box. One scale for both directions keeps the shape.
    scale = (BOX - 2 * PEN_RADIUS) / max(max(xs) - min(xs), max(ys) - min(ys))
    lines = [[(x * scale, y * scale) for x, y in line] for line in lines]
    middle = (SIZE - 1) / 2
    move = [middle - scale * (min(v) + max(v)) / 2 for v in (xs, ys)]
    lines = [[(x + move[0], y + move[1]) for x, y in line] for line in lines]
    # Draw once to find the centre of mass, then again with the pen moved: exact to a fraction of a pixel.
    pixels = ink(lines)
    total = sum(pixels)
    move = (
        middle - sum(value * (i % SIZE) for i, value in enumerate(pixels)) / total,
        middle - sum(value * (i // SIZE) for i, value in enumerate(pixels)) / total,
    )
    return ink([[(x + move[0], y + move[1]) for x, y in line] for line in lines])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent / "digits")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for digit, (slant, strokes) in DIGITS.items():
        # Eight bits per pixel, as a scanner gives them: then the files do not depend on how a
        # machine's libm rounds its last bit.
        pixels = [round(value * 255) / 255 for value in draw(slant, strokes)]
        write_npy(options.output / f"{digit}.npy", (1, 1, SIZE, SIZE), pixels)


if __name__ == "__main__":
    main()
