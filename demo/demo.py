#!/usr/bin/env python3
"""Shows the digit classifier at work: draws ten digits, and what Tiny's compiled net sees in each.

    python3 demo/demo.py --tiny-run build/release/bin/tiny-run

Ends with tiny-run's table of the kernels that the net became. The exit status is 0 only if all ten
digits were recognised. Needs nothing but Python's standard library.
"""

import argparse
import os
import pathlib
import re
import shutil
import sys

import classifier
from arrays import read_npy

DIGITS = pathlib.Path(__file__).parent / "digits"
SIZE = 28
GAP = 3
BENCH_RUNS = 20


# ---- Drawing. One line of text shows two rows of pixels, as a character cell is about twice as high
# as wide. A painter takes the upper and the lower row, values 0 to 1, and returns the line. ----


def paint_truecolor(upper, lower):
    def grey(value):
        level = round(value * 255)
        return f"{level};{level};{level}"

    cells = (f"\x1b[38;2;{grey(u)};48;2;{grey(v)}m▀" for u, v in zip(upper, lower))
    return "".join(cells) + "\x1b[0m"


def paint_256(upper, lower):
    # The palette has 24 greys from 232 up.
    cells = (f"\x1b[38;5;{232 + round(u * 23)};48;5;{232 + round(v * 23)}m▀" for u, v in zip(upper, lower))
    return "".join(cells) + "\x1b[0m"


def paint_ascii(upper, lower):
    ramp = " .:-=+*#%@"
    return "".join(ramp[round((u + v) / 2 * (len(ramp) - 1))] for u, v in zip(upper, lower))


def choose_painter(stream, environment):
    """The best painter that the place where the text goes can show."""
    if not stream.isatty() or (stream.encoding or "").lower().replace("-", "") != "utf8":
        return paint_ascii
    # no-color.org: any value that is not empty asks for no colour; and then letters show more greys
    # than blocks do.
    if environment.get("NO_COLOR") or environment.get("TERM", "dumb") == "dumb":
        return paint_ascii
    if environment.get("COLORTERM") in ("truecolor", "24bit"):
        return paint_truecolor
    return paint_256


def draw(pixels, painter):
    rows = [pixels[i : i + SIZE] for i in range(0, len(pixels), SIZE)]
    return [painter(upper, lower) for upper, lower in zip(rows[::2], rows[1::2])]


# ---- Asking ----


def median_milliseconds(printed):
    """The median run time in the line that --bench prints."""
    median = r"^bench:.*\bmedian\b\D*?([\d.]+(?:e[+-]?\d+)?)\s*(ns|us|µs|ms|s)\b"
    found = re.search(median, printed, re.MULTILINE)
    if not found:
        raise classifier.Failure("tiny-run printed no line 'bench: ... median ... ms'")
    number, unit = found.groups()
    return float(number) * {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def show(digit, tiny_run, target, painter):
    """Classifies one drawing; returns whether it was recognised, and the lines to print for it."""
    path = DIGITS / f"{digit}.npy"
    _, pixels = read_npy(path)
    (row,), printed = classifier.classify(tiny_run, path, *target, "--bench", BENCH_RUNS)
    seen = classifier.best(row)
    verdict = f"{seen}:" if seen == digit else f"{seen} is WRONG:"
    caption = f"{verdict} {row[seen]:.2%}, {median_milliseconds(printed):.3g} ms"
    return seen == digit, draw(pixels, painter) + [caption.center(SIZE)]


def demonstrate(tiny_run, target):
    painter = choose_painter(sys.stdout, os.environ)
    per_row = max(1, (shutil.get_terminal_size().columns + GAP) // (SIZE + GAP))
    per_row = 5 if 5 <= per_row < 10 else min(per_row, 10)  # two even rows rather than 6 + 4
    wrong = []
    for first in range(0, 10, per_row):
        row = range(first, min(first + per_row, 10))
        shown = [show(digit, tiny_run, target, painter) for digit in row]
        wrong += [str(digit) for digit, (right, _) in zip(row, shown) if not right]
        for parts in zip(*(lines for _, lines in shown)):
            print((" " * GAP).join(parts).rstrip(" "))
        print(flush=True)

    # A run of its own: everything it prints but where the result went is the table, whatever it looks like.
    _, printed = classifier.classify(tiny_run, DIGITS / "3.npy", *target, "--profile")
    lines = printed.splitlines(keepends=True)
    table = "".join(line for line in lines if not line.startswith("probabilities:"))
    if not table.strip():
        raise classifier.Failure("tiny-run --profile printed no kernel table")
    print("The kernels that the net became:\n")
    print(table, end="" if table.endswith("\n") else "\n")

    if wrong:
        names = ", ".join(wrong)
        raise classifier.Failure(f"the net took {len(wrong)} of the ten digits for another: {names}")
    print("\nAll ten digits recognised.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny-run", default="tiny-run", help="default: the one in the PATH")
    parser.add_argument("--target", default="cpu", help="what to compile for (default: cpu)")
    parser.add_argument("--device", help="what to run on, if that is not the target's own: sim, the simulated card")
    options = parser.parse_args()
    # tiny-run's table may hold a letter (µ) that the terminal lacks: no reason to fail.
    sys.stdout.reconfigure(errors="replace")
    target = ["--target", options.target] + (["--device", options.device] if options.device else [])
    try:
        demonstrate(options.tiny_run, target)
    except (classifier.Failure, OSError, ValueError) as error:
        sys.stdout.flush()
        sys.exit(f"demo: {error}")


if __name__ == "__main__":
    main()
