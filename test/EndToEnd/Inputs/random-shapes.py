#!/usr/bin/env python3
"""Matrix products (A B and A B^T) and reductions of random shapes, primes and tiny sizes among them, in
f32, f16, bf16 and i8, on the simulated card against the reference and its error bounds.

usage: random-shapes.py FOLDER SEED COUNT
"""
import pathlib
import random
import subprocess
import sys

SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33, 37, 48, 61, 64, 67, 97, 127, 128, 131]
IN_A_PROGRAM = 20  # results of one program, so that it is compiled in one go


def tensor(shape, element):
    return "tensor<" + "".join(f"{n}x" for n in shape) + element + ">"


class Program:
    def __init__(self):
        self.arguments, self.lines, self.results = [], [], []
        self.names = 0

    def argument(self, shape, element):
        self.arguments.append(f"%a{len(self.arguments)}: {tensor(shape, element)}")
        return f"%a{len(self.arguments) - 1}"

    def op(self, text):
        self.names += 1
        self.lines.append(f"    %{self.names} = {text}")
        return f"%{self.names}"

    def moved(self, value, shape, between, full, element):
        """`value` under another shape, repeated."""
        value = self.op(f"tiny.reshape {value} : {tensor(shape, element)} to {tensor(between, element)}")
        return self.op(f"tiny.expand {value} : {tensor(between, element)} to {tensor(full, element)}")

    def widened(self, value, shape, element):
        """Narrow floats and i8 are summed in 32 bits."""
        wide = "i32" if element == "i8" else "f32"
        if element == wide:
            return value, wide
        return self.op(f"tiny.cast {value} : {tensor(shape, element)} to {tensor(shape, wide)}"), wide

    def product(self, chosen, element):
        m, n, k = (chosen.choice(SIZES) for _ in range(3))
        shapes = [[m, k], [k, n]]
        a, wide = self.widened(self.argument(shapes[0], element), shapes[0], element)
        if chosen.random() < 0.5:  # the other one comes transposed
            b, _ = self.widened(self.argument([n, k], element), [n, k], element)
            b = self.op(f"tiny.permute {b} [1, 0] : {tensor([n, k], wide)} -> {tensor([k, n], wide)}")
        else:
            b, _ = self.widened(self.argument(shapes[1], element), shapes[1], element)
        full = [m, k, n]
        a = self.moved(a, shapes[0], [m, k, 1], full, wide)
        b = self.moved(b, shapes[1], [1, k, n], full, wide)
        x = self.op(f"tiny.mul {a}, {b} : {tensor(full, wide)}")
        x = self.op(f"tiny.reduce add {x} dims [1] : {tensor(full, wide)} -> {tensor([m, n], wide)}")
        self.results.append((x, tensor([m, n], wide)))

    def reduction(self, chosen, element):
        shape = [chosen.choice(SIZES) for _ in range(3)]
        dims = sorted(chosen.sample(range(3), chosen.randint(1, 3)))
        kept = [n for d, n in enumerate(shape) if d not in dims]
        x, wide = self.widened(self.argument(shape, element), shape, element)
        kind = chosen.choice(["add", "max"])
        x = self.op(f"tiny.reduce {kind} {x} dims {dims} : {tensor(shape, wide)} -> {tensor(kept, wide)}")
        self.results.append((x, tensor(kept, wide)))

    def text(self):
        types = ", ".join(t for _, t in self.results)
        values = ", ".join(v for v, _ in self.results)
        return "\n".join([f"func.func @main({', '.join(self.arguments)}) -> ({types}) {{", *self.lines,
                          f"    return {values} : {types}", "}", ""])


def main(folder, seed, count):
    chosen = random.Random(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = failed = 0
    while done < count:
        program = Program()
        for _ in range(min(IN_A_PROGRAM, count - done)):
            add = program.product if chosen.random() < 0.7 else program.reduction
            add(chosen, chosen.choice(["f32", "f16", "bf16", "i8"]))
        path = folder / f"shapes-{done}.mlir"
        path.write_text(program.text())
        inputs = [word for i in range(len(program.arguments)) for word in ("--input", f"random:{i + 1}")]
        run = subprocess.run(["tiny-run", path, *inputs, "--target", "rdna3", "--device", "sim", "--poison",
                              "--verify-against", "reference"], capture_output=True, text=True)
        if run.returncode != 0 or run.stdout.count("agrees with the reference") != len(program.results):
            failed += 1
            print(f"{path}:\n{run.stderr[-2000:]}")
        done += len(program.results)
    print(f"{done} shapes, {failed} programs failed")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
