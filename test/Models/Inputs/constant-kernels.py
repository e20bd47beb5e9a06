"""Schedules models and looks for kernels that only read constants: what they compute could have been
computed at compile time. Prints what is left of each model.

usage: constant-kernels.py MODEL.onnx...
"""
import re
import subprocess
import sys


def run(command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.decode()}")
    return done.stdout


found = False
for model in sys.argv[1:]:
    program = run(["tiny-translate", "--import-onnx", "--emit-bytecode", model])
    scheduled = run(["tiny-opt", "--tiny-schedule", "--mlir-elide-elementsattrs-if-larger=8",
                     "--mlir-elide-resource-strings-if-larger=8"], input=program).decode()
    constants = set(re.findall(r"(%\w+) = tiny\.constant", scheduled))
    launches = re.findall(r"= tiny\.launch @(\w+)\(([^)]*)\)", scheduled)
    if not launches:
        sys.exit(f"{model}: no launch found")
    useless = []
    for kernel, inputs in launches:
        names = re.findall(r"%[\w#]+", inputs)
        if names and constants.issuperset(names):
            useless.append(kernel)
    found |= bool(useless)
    print(f"{model}: {len(launches)} launches, {len(useless)} of constants only", *useless)
sys.exit(found)
