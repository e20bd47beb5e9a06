"""Asks tiny-run what the demo's net sees in a file of digits."""

import pathlib
import subprocess
import tempfile

from arrays import read_npy

MODEL = pathlib.Path(__file__).parent / "digits.onnx"
CLASSES = 10


class Failure(Exception):
    """Something the user must hear about, as one plain sentence."""


def run(tiny_run, *arguments):
    """Runs tiny-run on the model and returns what it printed; raises Failure if it does not succeed."""
    command = [tiny_run, str(MODEL), *map(str, arguments)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failure(f"cannot start {tiny_run}: {error.strerror}; is Tiny built?") from error
    if result.returncode != 0:
        # A negative status is a signal, which tiny-run promises never to die of: say so plainly.
        how = f"signal {-result.returncode}" if result.returncode < 0 else f"exit status {result.returncode}"
        raise Failure(f"tiny-run failed with {how}: {result.stderr.strip() or 'it gave no reason'}")
    return result.stdout


def classify(tiny_run, images, *options):
    """Returns one row of ten probabilities per digit in the NPY file `images`, and tiny-run's output."""
    with tempfile.TemporaryDirectory(prefix="tiny-demo-") as folder:
        path = pathlib.Path(folder) / "probabilities.npy"
        printed = run(tiny_run, "--input", f"image=@{images}", "--output", f"probabilities=@{path}", *options)
        try:
            shape, values = read_npy(path)
        except (OSError, ValueError) as error:
            raise Failure(f"tiny-run succeeded but left no usable result: {error}") from error
    if len(shape) != 2 or shape[1] != CLASSES:
        raise Failure(f"tiny-run gave probabilities of shape {shape} where (digits, {CLASSES}) is right")
    return [values[i : i + CLASSES] for i in range(0, len(values), CLASSES)], printed


def best(row):
    """The digit with the highest probability. A NaN anywhere is a broken result and never wins."""
    if any(value != value for value in row):
        raise Failure("tiny-run gave a probability that is not a number")
    return max(range(CLASSES), key=row.__getitem__)
