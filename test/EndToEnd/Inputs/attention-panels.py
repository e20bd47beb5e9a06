"""Attention whose rows are kept: both products of its one kernel are multiplied in panels, and the values
are those of the reference.

usage: attention-panels.py TEMPORARY-FOLDER
"""
import importlib
import os
import re
import subprocess
import sys

attention = importlib.import_module("online-attention").attention

# Name, program, products that go through panels with the vectors of an x86-64-v3.
CASES = [
    ("whole tiles", attention(heads=2, rows=64, keys=64, depth=64), 2),
    ("odd sizes", attention(heads=3, rows=77, keys=77, depth=20), 2),
    ("primes", attention(heads=4, rows=101, keys=211, depth=37), 2),
    ("more keys than rows", attention(heads=2, rows=24, keys=1000, depth=32), 2),
    ("divided after the product", attention(rows=60, keys=120, depth=16, normalise="after"), 2),
    ("blocks of a long row", attention(heads=1, rows=30, keys=8209, depth=16), 2),
    ("a mask of minus infinity", attention(rows=48, keys=96, depth=16, mask=("50", "0xFF800000")), 2),
    ("a masked row", attention(rows=48, keys=96, depth=16, mask=("5", "0xFF800000", 1)), 2),
    ("a mask of data", attention(heads=1, rows=48, keys=96, depth=16, mask="data"), 2),
    ("scores that are NaN", attention(rows=48, keys=96, depth=16, mask=("3", "0x7FC00000")), 2),
    ("f16, computed in f32", attention(rows=40, keys=56, depth=24, element="f16", inside="f32"), 2),
    ("f64", attention(rows=40, keys=56, depth=24, element="f64"), 2),
    ("grouped heads", attention(heads=8, rows=6, keys=90, depth=32, groups=4), 2),
    ("one row of many heads", attention(heads=12, rows=1, keys=200, depth=32), 0),
]


def command(*words):
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stderr.decode()}")
    return done.stdout.decode()


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for name, program, panels in CASES:
        path = os.path.join(folder, "program.mlir")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        tiled = command("tiny-opt", "--tiny-schedule", "--tiny-tile-cpu", path)
        assembly = command("tiny-run", path, "--emit", "asm", "--cpu", "x86-64-v3")
        # A nest that is left has its tiling; a panel is read under a view of the bytes of a workgroup.
        found = "memref.view" in tiled
        # The loop of products: multiply-adds of a vector with a broadcast, at least eight at a time.
        loops = [loop for loop in re.split(r"\n\.L\w+:", assembly)
                 if len(re.findall(r"vfn?madd\d+p[sd]", loop)) >= 8 and "vbroadcasts" in loop]
        checked = command("tiny-run", path, "--input", "random:5", "--poison", "--verify-against",
                          "reference")
        problem = ""
        if found != bool(panels) or len(loops) < panels:
            problem = "not the panels that belong there"
        elif "agrees with the reference" not in checked:
            problem = "disagrees with the reference"
        failed += bool(problem)
        print(f"{name}: {len(loops)} loops of products{': FAILED, ' + problem if problem else ''}",
              flush=True)
    print(f"{len(CASES)} programs, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
