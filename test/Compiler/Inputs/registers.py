"""Compiles programs for RDNA3 and reads from their code objects which kernels do not fit the registers:
what has scratch memory or spills.

usage: registers.py FOLDER MODEL [OPTION of tiny-run...] [-- MODEL ...]
"""
import json
import pathlib
import subprocess
import sys


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def too_large(model, options, image):
    """How many kernels there are, and the names of those that do not fit."""
    run(["tiny-run", model, "--target", "rdna3", "--emit", "hsaco", "-o", image, *options])
    kernels = json.loads(run(["tiny-opt", image, "--tiny-report=json"]))["kernels"]
    facts = ("scratch_bytes", "spilled_vgprs", "spilled_sgprs")
    return len(kernels), [kernel["name"] for kernel in kernels if any(kernel[fact] for fact in facts)]


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
programs, all_kernels, all_large = 0, 0, 0
words = sys.argv[2:]
while words:
    end = words.index("--") if "--" in words else len(words)
    model, *options = words[:end]
    words = words[end + 1:]
    count, large = too_large(model, options, str(folder / "image.hsaco"))
    programs, all_kernels, all_large = programs + 1, all_kernels + count, all_large + len(large)
    if large:
        print(f"{model}: {', '.join(large)}")
print(f"{programs} programs, {all_kernels} kernels, {all_large} with scratch or spills")
