"""Runs one op on every element type and a range of odd shapes, on a target and on the reference,
and compares the results bit for bit (or within the ULPs that the dialect allows, for exp2, log2,
sin and reductions of floats).

usage: op-matrix.py OP TARGET

Inputs are full of the values that break things: NaN, infinities, -0, denormals, ties, and the
limits of every integer type. Needs only Python's standard library, so it has its own conversions.
"""
import itertools
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

FLOATS = ["f64", "f32", "f16", "bf16"]
SIGNED = ["i8", "i16", "i32", "i64"]
UNSIGNED = ["ui8", "ui16", "ui32", "ui64"]
NUMBERS = FLOATS + SIGNED + UNSIGNED
TYPES = NUMBERS + ["i1"]
SHAPES = [[], [1], [0], [7], [3, 5], [2, 3, 4], [13, 17], [1, 31, 1], [2, 0, 3], [257], [2, 3, 1, 2, 5]]

# Bytes, the struct code of the bits, and the .npy name.
FORMATS = {
    "f64": (8, "Q", "<f8"), "f32": (4, "I", "<f4"), "f16": (2, "H", "<f2"), "bf16": (2, "H", "<V2"),
    "i8": (1, "B", "|i1"), "i16": (2, "H", "<i2"), "i32": (4, "I", "<i4"), "i64": (8, "Q", "<i8"),
    "ui8": (1, "B", "|u1"), "ui16": (2, "H", "<u2"), "ui32": (4, "I", "<u4"), "ui64": (8, "Q", "<u8"),
    "i1": (1, "B", "|b1"),
}


def count(shape):
    return math.prod(shape)


def tensor(shape, element):
    return "tensor<" + "".join(f"{n}x" for n in shape) + element + ">"


# --- values -----------------------------------------------------------------

def float_bits(element):
    """Bit patterns of a float type: the special ones, and what lies between."""
    size = FORMATS[element][0] * 8
    mantissa = {"f64": 52, "f32": 23, "f16": 10, "bf16": 7}[element]
    exponents = (1 << (size - 1 - mantissa)) - 1
    bias = exponents >> 1
    infinity, sign = exponents << mantissa, 1 << (size - 1)

    def power(e, fraction=0):
        e += bias
        return (e << mantissa) | fraction if 0 < e < exponents else infinity - 1

    half = 1 << (mantissa - 1)
    positive = [0, 1, (1 << mantissa) - 1, 1 << mantissa, power(0), power(-1), power(0, half),
                power(1, half >> 1), infinity - 1, infinity, infinity | half, power(7), power(8),
                power(15), power(16), power(31), power(32), power(63), power(64), power(0, 1),
                power(6, half | 1), power(-14), power(-24), power(-25), power(3, 3)]
    return [b | s for b in positive for s in (0, sign)]


def int_bits(element):
    if element == "i1":
        return [0, 1]
    size = FORMATS[element][0] * 8
    top = 1 << (size - 1)
    mask = 2 * top - 1
    near = [0, 1, 2, 3, 7, 127, 128, 255, 256, 2049, 65504, 65520, (1 << 24) + 1, (1 << 53) + 1,
            (1 << 53) - 1, (1 << 63) + (1 << 52), top - 1, top, top + 1, mask]
    return sorted({n & mask for n in near} | {-n & mask for n in near})


def fill(shape, element, generator, mode="wild"):
    """Bit patterns for a whole tensor. `plain` and `rare` ones can be combined in any order: plain
    ones are moderate, rare ones 1 or -1 with now and then a zero, an infinity or NaN."""
    size = FORMATS[element][0] * 8
    specials = float_bits(element) if element in FLOATS else int_bits(element)
    bits = []
    for i in range(count(shape)):
        if mode == "plain" and element in FLOATS:
            bits.append(from_double(generator.uniform(-2, 2), element))
        elif mode == "rare" and element in FLOATS:
            values = [0.0, -0.0, math.inf, -math.inf, math.nan] if generator.random() < 0.05 else [1.0, -1.0]
            bits.append(from_double(generator.choice(values), element))
        elif generator.random() < 0.6:
            bits.append(generator.choice(specials))
        else:
            bits.append(generator.getrandbits(1 if element == "i1" else size))
    return bits


def to_double(bits, element):
    if element == "f64":
        return struct.unpack("<d", struct.pack("<Q", bits))[0]
    if element == "f32":
        return struct.unpack("<f", struct.pack("<I", bits))[0]
    if element == "bf16":
        return to_double(bits << 16, "f32")
    return struct.unpack("<e", struct.pack("<H", bits))[0]


def from_double(value, element):
    if element == "f64":
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    if element == "f32":
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if element == "bf16":
        return from_double(value, "f32") >> 16
    return struct.unpack("<H", struct.pack("<e", value))[0]


# --- files ------------------------------------------------------------------

def write_npy(path, shape, element, bits):
    _, code, name = FORMATS[element]
    dims = "".join(f"{n}, " for n in shape)
    header = f"{{'descr': '{name}', 'fortran_order': False, 'shape': ({dims}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(bits)}{code}", *bits))


def read_npy(path, element):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<H", data[8:10])
    body = data[10 + length:]
    size, code, _ = FORMATS[element]
    return struct.unpack(f"<{len(body) // size}{code}", body)


# --- programs ---------------------------------------------------------------

class Program:
    """Functions of few values: one test program is one function over all types and shapes."""

    def __init__(self):
        self.arguments, self.lines, self.results = [], [], []
        self.random = random.Random(1)

    def argument(self, shape, element, mode="wild"):
        self.arguments.append((shape, element, fill(shape, element, self.random, mode)))
        return f"%a{len(self.arguments) - 1}"

    def result(self, line, shape, element, kind="exact"):
        name = f"%r{len(self.results)}"
        self.lines.append(f"  {name} = {line}")
        self.results.append((name, shape, element, kind))
        return name

    def text(self):
        arguments = ", ".join(f"%a{i}: {tensor(s, e)}" for i, (s, e, _) in enumerate(self.arguments))
        types = ", ".join(tensor(s, e) for _, s, e, _ in self.results)
        values = ", ".join(name for name, _, _, _ in self.results)
        body = "\n".join(self.lines)
        return f"func.func @main({arguments}) -> ({types}) {{\n{body}\n  return {values} : {types}\n}}\n"


def subsets(rank):
    dims = range(rank)
    return [list(s) for n in range(rank + 1) for s in itertools.combinations(dims, n)]


def elementwise(op):
    def build(program):
        for element in {"div": NUMBERS}.get(op, FLOATS if op in ("exp2", "log2", "sin", "sqrt") else TYPES):
            for shape in SHAPES:
                t = tensor(shape, element)
                a = program.argument(shape, element)
                if op in ("exp2", "log2", "sin", "sqrt"):
                    kind = "exact" if op == "sqrt" else "ulp"
                    program.result(f"tiny.{op} {a} : {t}", shape, element, kind)
                    continue
                b = program.argument(shape, element)
                program.result(f"tiny.{op} {a}, {b} : {t}", shape, element)
    return build


def cast(program):
    for source, target in itertools.product(TYPES, TYPES):
        for shape in ([257], [3, 5], []):
            a = program.argument(shape, source)
            program.result(f"tiny.cast {a} : {tensor(shape, source)} to {tensor(shape, target)}", shape, target)


def cmp(program):
    for element in TYPES:
        for shape in SHAPES:
            a, b = program.argument(shape, element), program.argument(shape, element)
            for predicate in ("lt", "le", "eq", "ne"):
                program.result(f"tiny.cmp {predicate} {a}, {b} : {tensor(shape, element)}", shape, "i1")


def where(program):
    for element in TYPES:
        for shape in SHAPES:
            c = program.argument(shape, "i1")
            a, b = program.argument(shape, element), program.argument(shape, element)
            program.result(f"tiny.where {c}, {a}, {b} : {tensor(shape, element)}", shape, element)


def reduce(kind):
    def build(program):
        for element in TYPES:
            for shape in SHAPES:
                # The order of a sum of floats decides whether it overflows: no wild values there.
                ordered_freely = element in FLOATS and kind != "max"
                for mode in ("plain", "rare") if ordered_freely else ("wild",):
                    a = program.argument(shape, element, mode)
                    for dims in subsets(len(shape))[:12]:
                        kept = [n for i, n in enumerate(shape) if i not in dims]
                        compared = ("sum", program.arguments[-1], dims, kind) if ordered_freely else "exact"
                        program.result(
                            f"tiny.reduce {kind} {a} dims {dims} : {tensor(shape, element)} -> {tensor(kept, element)}",
                            kept, element, compared)
    return build


def movement(op):
    def build(program):
        for element, shape in itertools.product(TYPES, SHAPES):
            a, t, rank = program.argument(shape, element), tensor(shape, element), len(shape)
            add = lambda text, result: program.result(f"tiny.{op} {a} {text} : {t} -> {tensor(result, element)}", result, element)
            if op == "reshape":
                for result in ([count(shape)], [1] + shape, shape[::-1], [count(shape), 1]):
                    program.result(f"tiny.reshape {a} : {t} to {tensor(result, element)}", result, element)
            elif op == "permute":
                for p in (list(range(rank))[::-1], list(range(1, rank)) + list(range(min(rank, 1)))):
                    add(str(p), [shape[i] for i in p])
            elif op == "expand":
                result = [5 if n == 1 else n for n in shape]
                program.result(f"tiny.expand {a} : {t} to {tensor(result, element)}", result, element)
            elif op == "pad":
                value = "-0.0" if element in FLOATS else ("true" if element == "i1" else "7")
                value += "" if element == "i1" else f" : {element}"
                for low, high in (([1] * rank, [2] * rank), ([0] * rank, [3] * rank), ([2] * rank, [0] * rank)):
                    add(f"low {low} high {high} value {value}", [l + n + h for l, n, h in zip(low, shape, high)])
            elif op == "shrink":
                offsets, sizes = [n // 3 for n in shape], [max(n - n // 2, 0) for n in shape]
                add(f"offsets {offsets} sizes {sizes}", sizes)
                add(f"offsets {[0] * rank} sizes {[0] * rank}", [0] * rank)
            elif op == "stride":
                for step in (1, 2, 3, -1, -2, -4, 1000):
                    add(str([step] * rank), [-(-n // abs(step)) for n in shape])
    return build


def iota(program):
    for element, shape in itertools.product(NUMBERS, SHAPES + [[300, 3]]):
        for dim in range(len(shape)):
            program.result(f"tiny.iota dim {dim} : {tensor(shape, element)}", shape, element)


PROGRAMS = {"cast": cast, "cmp": cmp, "where": where, "iota": iota}
PROGRAMS.update({op: elementwise(op) for op in ("exp2", "log2", "sin", "sqrt", "add", "mul", "div", "max")})
PROGRAMS.update({f"reduce-{kind}": reduce(kind) for kind in ("add", "mul", "max")})
PROGRAMS.update({op: movement(op) for op in ("reshape", "permute", "expand", "pad", "shrink", "stride")})


# --- comparison -------------------------------------------------------------

# exp2, log2, sin: 2 ULP in f32 and 4 in f64 of error on each side; f16 and bf16 are rounded from
# f32, which can move a tie by one.
ULPS = {"f64": 8, "f32": 4, "f16": 1, "bf16": 1}
EPSILON = {"f64": 2.0 ** -53, "f32": 2.0 ** -24, "f16": 2.0 ** -11, "bf16": 2.0 ** -8}


def ordered(bits, element):
    """Bit patterns as integers in the order of their values."""
    sign = 1 << (FORMATS[element][0] * 8 - 1)
    return -(bits & (sign - 1)) if bits & sign else bits


def same(x, y, element, kind):
    if x == y:
        return True
    if element not in FLOATS:
        return False
    a, b = to_double(x, element), to_double(y, element)
    if math.isnan(a) and math.isnan(b):
        return True
    if kind == "exact" or math.isnan(a) or math.isnan(b):
        return False
    return abs(ordered(x, element) - ordered(y, element)) <= ULPS[element]


def within(x, y, bound):
    if math.isfinite(x) and math.isfinite(y):
        return abs(x - y) <= bound
    return x == y or (math.isnan(x) and math.isnan(y))


def sum_bounds(argument, dims, kind):
    """For each result of a sum or product: what any order of combination may be away from it."""
    shape, element, bits = argument
    kept = [n for i, n in enumerate(shape) if i not in dims]
    total = [0.0 if kind == "add" else 1.0] * count(kept)
    for flat, index in enumerate(itertools.product(*map(range, shape))):
        at = 0
        for i, n in enumerate(shape):
            if i not in dims:
                at = at * n + index[i]
        value = abs(to_double(bits[flat], element))
        total[at] = total[at] + value if kind == "add" else total[at] * value
    terms = max(count([shape[i] for i in dims]), 1)
    accumulator = EPSILON["f64" if element == "f64" else "f32"]
    least = {"f64": 2.0 ** -1074, "f32": 2.0 ** -149, "f16": 2.0 ** -24, "bf16": 2.0 ** -133}[element]
    # Each step rounds the accumulator once; the result is rounded to its type on both sides.
    return [2 * t * (terms * accumulator + EPSILON[element]) + terms * least for t in total]


def compare(program, outputs, references):
    failures = 0
    for (name, shape, element, kind), got, want in zip(program.results, outputs, references):
        got, want = read_npy(got, element), read_npy(want, element)
        if len(got) != count(shape) or len(want) != count(shape):
            print(f"error: {name} has {len(got)} elements, the reference {len(want)}, its type {count(shape)}")
            failures += 1
            continue
        bounds = sum_bounds(*kind[1:]) if isinstance(kind, tuple) else None
        for i, (x, y) in enumerate(zip(got, want)):
            if bounds is not None:
                good = within(to_double(x, element), to_double(y, element), bounds[i])
            else:
                good = same(x, y, element, kind)
            if not good:
                failures += 1
                if failures <= 20:
                    show = lambda b: f"{to_double(b, element)!r} ({b:#x})" if element in FLOATS else f"{b:#x}"
                    line = program.lines[int(name[2:])].strip()
                    print(f"error: {line}: element {i} is {show(x)}, the reference says {show(y)}")
    return failures


def main(op, target):
    program = Program()
    PROGRAMS[op](program)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, op + ".mlir")
        with open(path, "w") as file:
            file.write(program.text())
        command = ["tiny-run", path]
        for i, (shape, element, bits) in enumerate(program.arguments):
            write_npy(f"{folder}/a{i}.npy", shape, element, bits)
            command += ["--input", f"@{folder}/a{i}.npy"]
        files = {}
        for where_ in ("reference", target):
            files[where_] = [f"{folder}/{where_}{i}.npy" for i in range(len(program.results))]
            outputs = itertools.chain.from_iterable(("--output", "@" + f) for f in files[where_])
            done = subprocess.run(command + ["--target", where_, *outputs], stdout=subprocess.DEVNULL)
            if done.returncode != 0:
                sys.exit(f"error: tiny-run --target {where_} ended with {done.returncode}")
        failures = compare(program, files[target], files["reference"])
    elements = sum(count(shape) for _, shape, _, _ in program.results)
    print(f"{op} on {target}: {len(program.results)} results, {elements} elements, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PROGRAMS:
        sys.exit(__doc__ + "\nops: " + " ".join(PROGRAMS))
    main(*sys.argv[1:])
