#!/usr/bin/env python3
"""Runs programs of tiny-fuzz on the processor, as a shared library, and on the simulated card with all its
checks: within the bounds of the reference everywhere, and in the library the same bits as in process.

usage: targets-agree.py FOLDER SEED COUNT
"""
import ctypes
import importlib
import os
import random
import subprocess
import sys

aot = importlib.import_module("ahead-of-time")
ON = {"cpu": [], "sim": ["--target", "rdna3", "--device", "sim", "--poison"]}


def test(folder, model):
    """The number of results that were compared."""
    library, path = model + ".so", os.path.join(folder, "m.h")  # a name once: it stays loaded
    subprocess.run(["tiny-run", model, "--emit", "shared", "-o", library, "--header", path], check=True)
    header = aot.Header(path, "m")
    generator = random.Random(model)
    inputs = [aot.random_bytes(tensor, generator) for tensor in header.tensors("INPUT")]
    words, outputs = [], []
    for i, tensor in enumerate(header.tensors("INPUT")):
        file = os.path.join(folder, f"in{i}.npy")
        aot.write_npy(file, tensor, inputs[i])
        words += ["--input", f"{i}=@{file}"]
    for i in range(header.number("NUM_OUTPUTS")):
        outputs.append(os.path.join(folder, f"out{i}.npy"))
        words += ["--output", f"{i}=@{outputs[i]}"]
    for name, options in reversed(ON.items()):  # what stays in the files is of the processor
        done = subprocess.run(["tiny-run", model, *words, *options, "--verify-against", "reference"],
                              capture_output=True, text=True)
        agreeing = done.stdout.count("agrees with the reference")
        assert done.returncode == 0 and agreeing == len(outputs), f"{model} on {name}:\n{done.stderr}"
    want = [aot.read_npy(file) for file in outputs]
    got = aot.call(ctypes.CDLL(library).m_run, header, inputs, None)
    assert got == want, f"{model}: the library differs from the processor"
    return len(want)


def main(folder, seed, count):
    os.makedirs(folder, exist_ok=True)
    text = subprocess.run(["tiny-fuzz", "--print", "--seed", seed, "--count", count], check=True,
                          capture_output=True, text=True).stdout
    results = 0
    programs = text.split("// program ")[1:]
    for i, program in enumerate(programs):
        model = os.path.join(folder, f"program-{i}.mlir")
        with open(model, "w") as file:
            file.write("// program " + program)
        results += test(folder, model)
    print(f"{len(programs)} programs, {results} results agree")


main(*sys.argv[1:])
