#!/usr/bin/env python3
"""Sums of products of random shapes on the CPU against the reference and its error bounds: matrices and
batches of them, transposed, strided and shifted operands, convolutions with padding, factors that are
computed on the way (not-a-numbers and infinities among them), narrow factors, and epilogues. Integers
take all numbers of their type, and have to be exact; or they are quantised factors of floats. With
`constants`, right factors are constants, which may lie in memory in another order than in the program.

usage: random-contractions.py FOLDER SEED COUNT [integers|quantised|constants] [OPTION OF TINY-RUN...]
"""
import pathlib
import random
import struct
import subprocess
import sys

SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 16, 17, 23, 24, 31, 32, 33, 48, 61, 64, 65, 97, 128, 131, 251]
DEPTHS = SIZES + [300, 509, 640, 997]
# Types that the numbers of files have: bits, and what Python and NumPy call them.
INTEGERS = {"i8": (8, "b", "|i1"), "ui8": (8, "B", "|u1"), "i16": (16, "h", "<i2"), "i32": (32, "i", "<i4")}
IN_A_PROGRAM = 10  # results of one program, so that it is compiled in one go


def tensor(shape, element):
    return "tensor<" + "".join(f"{n}x" for n in shape) + element + ">"


def widened(element):
    return "f64" if element == "f64" else "i32" if element in INTEGERS else "f32"


def write_integers(path, chosen, shape, element):
    """All numbers of the type alike, but for the ends of it, which are half of them."""
    bits, code, descr = INTEGERS[element]
    low, count = (0 if element.startswith("u") else -(1 << (bits - 1))), 1
    high = low + (1 << bits) - 1
    for n in shape:
        count *= n
    numbers = [chosen.choice([low, high]) if chosen.random() < 0.5 else chosen.randint(low, high) for _ in range(count)]
    shape = "(" + "".join(f"{n}, " for n in shape) + ")"
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{count}{code}", *numbers))


class Program:
    def __init__(self, chosen, quantised, constants):
        self.chosen, self.quantised, self.constants = chosen, quantised, constants
        self.arguments, self.types, self.lines, self.results = [], [], [], []
        self.names = 0

    def argument(self, shape, element):
        self.types.append((shape, element))
        self.arguments.append(f"%a{len(self.arguments)}: {tensor(shape, element)}")
        return f"%a{len(self.arguments) - 1}"

    def op(self, text):
        self.names += 1
        self.lines.append(f"    %{self.names} = {text}")
        return f"%{self.names}"

    def unary(self, name, value, shape, element):
        return self.op(f"tiny.{name} {value} : {tensor(shape, element)}")

    def moved(self, value, shape, between, full, element):
        """`value` under another shape, repeated."""
        value = self.op(f"tiny.reshape {value} : {tensor(shape, element)} to {tensor(between, element)}")
        return self.op(f"tiny.expand {value} : {tensor(between, element)} to {tensor(full, element)}")

    def factor(self, shape, element):
        """A value of `shape` in f32 (f64, i32) that comes from memory in one of many ways."""
        if self.quantised:
            return self.quantised_factor(shape, element), "f32"
        chosen, wide = self.chosen, widened(element)
        kind = chosen.choice(["plain", "plain", "transposed", "transposed", "strided", "shifted"])
        last = len(shape) - 1
        if kind == "transposed":
            other = shape[:-2] + [shape[-1], shape[-2]]
            order = list(range(last - 1)) + [last, last - 1]
            value = self.argument(other, element)
            value = self.op(f"tiny.permute {value} {order} : {tensor(other, element)} -> {tensor(shape, element)}")
        elif kind == "strided":
            dim = chosen.randrange(len(shape))
            steps = [1] * len(shape)
            steps[dim] = chosen.choice([2, 3, -1])
            whole = list(shape)
            whole[dim] = (shape[dim] - 1) * abs(steps[dim]) + 1
            value = self.argument(whole, element)
            value = self.op(f"tiny.stride {value} {steps} : {tensor(whole, element)} -> {tensor(shape, element)}")
        elif kind == "shifted":
            dim = chosen.randrange(len(shape))
            low = [0] * len(shape)
            low[dim] = min(chosen.randint(1, 3), shape[dim])
            inner = list(shape)
            inner[dim] -= low[dim]
            if inner[dim] == 0:
                inner[dim], low[dim] = shape[dim], 0
            value = self.argument(inner, element)
            value = self.op(f"tiny.pad {value} low {low} high {[0] * len(shape)} value "
                            f"{3 if wide == 'i32' else 0.5} : {element} : "
                            f"{tensor(inner, element)} -> {tensor(shape, element)}")
        else:
            value = self.argument(shape, element)
        if element != wide:
            value = self.op(f"tiny.cast {value} : {tensor(shape, element)} to {tensor(shape, wide)}")
        computed = chosen.random()
        if computed < 0.15:
            other = self.argument(shape, wide)
            value = self.op(f"tiny.max {value}, {other} : {tensor(shape, wide)}")
        elif computed < 0.3 and wide == "i32":
            point = self.op(f"tiny.constant dense<{chosen.randint(-128, 255)}> : tensor<i32>")
            point = self.moved(point, [], [1] * len(shape), shape, wide)
            value = self.op(f"tiny.add {value}, {point} : {tensor(shape, wide)}")
        elif computed < 0.2:
            value = self.unary("log2", value, shape, wide)
        return value, wide

    def splat(self, number, shape, element):
        return self.moved(self.op(f"tiny.constant dense<{number}> : tensor<{element}>"), [], [1] * len(shape), shape,
                          element)

    def quantised_factor(self, shape, element):
        """Integers, as they are or constants, minus a zero point and times a scale, and then moved."""
        chosen = self.chosen
        low = [0] * len(shape)
        dim = chosen.randrange(len(shape))
        low[dim] = chosen.choice([0, 0, min(2, shape[dim] - 1)])
        inner = [n - l for n, l in zip(shape, low)]
        count = 1
        for n in inner:
            count *= n
        if count < 20000 and self.weights:
            kind = "i8" if element != "ui8" else "ui8"
            numbers = bytes(chosen.randrange(256) for _ in range(count)).hex().upper()
            value = self.op(f'tiny.constant dense<"0x{numbers}"> : {tensor(inner, kind)}')
        else:
            kind = element
            value = self.argument(inner, kind)
        value = self.op(f"tiny.cast {value} : {tensor(inner, kind)} to {tensor(inner, 'i32')}")
        if chosen.random() < 0.7:
            point = self.splat(chosen.randint(-127, 0 if kind == "ui8" else 127), inner, "i32")
            value = self.op(f"tiny.add {value}, {point} : {tensor(inner, 'i32')}")
        value = self.op(f"tiny.cast {value} : {tensor(inner, 'i32')} to {tensor(inner, 'f32')}")
        scale = self.splat(chosen.choice([1.0, 0.5, 0.0371, 3.3e-4, -1.7]), inner, "f32")
        value = self.op(f"tiny.mul {value}, {scale} : {tensor(inner, 'f32')}")
        if inner == shape:
            return value
        return self.op(f"tiny.pad {value} low {low} high {[0] * len(shape)} value 0.0 : f32 : "
                       f"{tensor(inner, 'f32')} -> {tensor(shape, 'f32')}")

    def constant(self, shape, element):
        """A constant of `shape`, in this order or transposed; one in eight has what is no number."""
        chosen = self.chosen
        transposed = chosen.random() < 0.4
        stored = shape[:-2] + [shape[-1], shape[-2]] if transposed else shape
        count = 1
        for n in shape:
            count *= n
        if element in INTEGERS:
            return self.constant_integers(shape, stored, count, element)
        numbers = [chosen.uniform(-1, 1) for _ in range(count)]
        if chosen.random() < 0.125:
            for special in (float("nan"), float("inf"), -0.0, 1e-40):
                numbers[chosen.randrange(count)] = special
        bits = struct.pack(f"<{count}{'d' if element == 'f64' else 'f'}", *numbers).hex()
        value = self.op(f'tiny.constant dense<"0x{bits}"> : {tensor(stored, element)}')
        return self.turned(value, stored, shape, element)

    def constant_integers(self, shape, stored, count, element):
        """The same of a narrow type, widened."""
        numbers = self.chosen.randbytes(count * INTEGERS[element][0] // 8)
        value = self.op(f'tiny.constant dense<"0x{numbers.hex()}"> : {tensor(stored, element)}')
        value = self.op(f"tiny.cast {value} : {tensor(stored, element)} to {tensor(stored, 'i32')}")
        return self.turned(value, stored, shape, "i32")

    def turned(self, value, stored, shape, element):
        if stored == shape:
            return value
        last = len(shape) - 1
        order = list(range(last - 1)) + [last, last - 1]
        return self.op(f"tiny.permute {value} {order} : {tensor(stored, element)} -> {tensor(shape, element)}")

    def finished(self, value, shape, wide):
        """An epilogue."""
        kind = self.chosen.choice(["none", "none", "bias", "residual", "max"])
        if kind == "bias":
            bias = self.moved(self.argument([shape[-1]], wide), [shape[-1]], [1] * (len(shape) - 1) + [shape[-1]],
                              shape, wide)
            value = self.op(f"tiny.add {value}, {bias} : {tensor(shape, wide)}")
        elif kind != "none":
            other = self.argument(shape, wide)
            name = "add" if kind == "residual" else "max"
            value = self.op(f"tiny.{name} {value}, {other} : {tensor(shape, wide)}")
        self.results.append((value, tensor(shape, wide)))

    def product(self, element):
        chosen = self.chosen
        m, n, k = chosen.choice(SIZES), chosen.choice(SIZES), chosen.choice(DEPTHS)
        if self.constants and chosen.random() < 0.7:
            n = chosen.choice([16, 32, 48, 64, 128, 192])  # whole panels
        batch = [chosen.randint(2, 4)] if chosen.random() < 0.25 else []
        self.weights = False
        a, wide = self.factor([*batch, m, k], element)
        self.weights = chosen.random() < 0.7
        b = self.constant([*batch, k, n], element if wide == "i32" else wide) if self.constants else self.factor([*batch, k, n], element)[0]
        full = [*batch, m, k, n]
        a = self.moved(a, [*batch, m, k], [*batch, m, k, 1], full, wide)
        b = self.moved(b, [*batch, k, n], [*batch, 1, k, n], full, wide)
        x = self.op(f"tiny.mul {a}, {b} : {tensor(full, wide)}")
        shape = [*batch, m, n]
        x = self.op(f"tiny.reduce add {x} dims [{len(batch) + 1}] : {tensor(full, wide)} -> {tensor(shape, wide)}")
        self.finished(x, shape, wide)

    def convolution(self, element):
        """Rows shifted by each tap of the window: a sum over channels and both directions."""
        chosen = self.chosen
        images = chosen.choice([1, 1, 2, 3])
        features, channels = chosen.choice([1, 3, 8, 17]), chosen.choice([1, 2, 5, 16])
        height, width = chosen.choice([5, 7, 8, 14]), chosen.choice([3, 5, 8, 14, 16, 27, 28])
        taps = chosen.choice([1, 2, 3])
        pads = chosen.choice([0, 1]) if taps > 1 else 0
        x, wide = self.argument([images, channels, height, width], element), widened(element)
        if self.quantised:
            self.weights = False
            x, wide = self.factor([images, channels, height, width], element)
        zero = 0 if wide == "i32" else 0.0
        if element != wide and not self.quantised:
            shape = [images, channels, height, width]
            x = self.op(f"tiny.cast {x} : {tensor(shape, element)} to {tensor(shape, wide)}")
        h, w = height + 2 * pads, width + 2 * pads
        if pads:
            x = self.op(f"tiny.pad {x} low [0, 0, {pads}, {pads}] high [0, 0, {pads}, {pads}] value {zero} : {wide} : "
                        f"{tensor([images, channels, height, width], wide)} -> {tensor([images, channels, h, w], wide)}")
        # A window along a dim of n: taps copies in a row, read with one more per row.
        outs = []
        for size, before in ((h, [images, channels]), (w, None)):
            out = size - taps + 1
            outs.append(out)
            lead = before if before else [images, channels, taps, outs[0]]
            rest = [w] if before else []
            def shaped(middle):
                return [*lead, *middle, *rest]
            x = self.moved(x, shaped([size]), shaped([1, size]), shaped([taps, size]), wide)
            flat = taps * size
            x = self.op(f"tiny.reshape {x} : {tensor(shaped([taps, size]), wide)} to {tensor(shaped([flat]), wide)}")
            low, high = [0] * len(shaped([0])), [0] * len(shaped([0]))
            high[len(lead)] = taps
            x = self.op(f"tiny.pad {x} low {low} high {high} value {zero} : {wide} : "
                        f"{tensor(shaped([flat]), wide)} -> {tensor(shaped([flat + taps]), wide)}")
            x = self.op(f"tiny.reshape {x} : {tensor(shaped([flat + taps]), wide)} to "
                        f"{tensor(shaped([taps, size + 1]), wide)}")
            x = self.op(f"tiny.shrink {x} offsets {[0] * len(shaped([0, 0]))} sizes {shaped([taps, out])} : "
                        f"{tensor(shaped([taps, size + 1]), wide)} -> {tensor(shaped([taps, out]), wide)}")
        shape = [images, channels, taps, outs[0], taps, outs[1]]
        full = [images, features, *shape[1:]]
        x = self.moved(x, shape, [images, 1, *shape[1:]], full, wide)
        self.weights = True
        weights = (self.factor([features, channels, taps, taps], element)[0] if self.quantised
                   else self.argument([features, channels, taps, taps], element if wide == "i32" else wide))
        if wide == "i32":
            weights = self.op(f"tiny.cast {weights} : {tensor([features, channels, taps, taps], element)} to "
                              f"{tensor([features, channels, taps, taps], wide)}")
        weights = self.moved(weights, [features, channels, taps, taps], [1, features, channels, taps, 1, taps, 1],
                             full, wide)
        x = self.op(f"tiny.mul {x}, {weights} : {tensor(full, wide)}")
        shape = [images, features, *outs]
        x = self.op(f"tiny.reduce add {x} dims [2, 3, 5] : {tensor(full, wide)} -> {tensor(shape, wide)}")
        self.finished(x, shape, wide)

    def text(self):
        types = ", ".join(t for _, t in self.results)
        values = ", ".join(v for v, _ in self.results)
        return "\n".join([f"func.func @main({', '.join(self.arguments)}) -> ({types}) {{", *self.lines,
                          f"    return {values} : {types}", "}", ""])


def main(folder, seed, count, *options):
    elements = ["f32", "f32", "f32", "f64", "f16", "bf16"]
    quantised = bool(options) and options[0] == "quantised"
    constants = bool(options) and options[0] == "constants"
    if constants:
        elements, options = ["f32", "f32", "f64", "i8", "ui8", "i16"], options[1:]
    if options and options[0] in ("integers", "quantised"):
        elements, options = ["i8", "i8", "ui8", "ui8", "i16"], options[1:]
    chosen = random.Random(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = failed = 0
    while done < count:
        program = Program(chosen, quantised, constants)
        for _ in range(min(IN_A_PROGRAM, count - done)):
            add = program.product if constants or chosen.random() < 0.8 else program.convolution
            add(chosen.choice(elements))
        path = folder / f"contractions-{done}.mlir"
        path.write_text(program.text())
        inputs = []
        for i, (shape, element) in enumerate(program.types):
            value = f"random:{i + 1}"
            if element in INTEGERS:
                write_integers(folder / f"{i}.npy", chosen, shape, element)
                value = f"@{folder}/{i}.npy"
            inputs += ["--input", value]
        run = subprocess.run(["tiny-run", path, *inputs, "--poison", "--verify-against", "reference", *options],
                             capture_output=True, text=True)
        if run.returncode != 0 or run.stdout.count("agrees with the reference") != len(program.results):
            failed += 1
            print(f"{path}:\n{run.stderr[-2000:]}")
        done += len(program.results)
    print(f"{done} contractions, {failed} programs failed")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
