#!/usr/bin/env python3
"""Random products of matrices and convolutions on the CPU with --precision bf16, against the reference.

usage: bf16-contractions.py FOLDER SEED COUNT

Each program has two results: the sums of a * b, and those of |a| * |b|, which bound the error of the
former. Rounding to nearest even leaves a factor within 2^-8 of what it was, relatively (bf16 has 8
significant bits, so that 1 + 2^-8 is half-way to the next one), and so a product within
(1 + 2^-8)^2 - 1 = 2^-7 + 2^-16. Sums are of f32: as many
additions as the depth, and some more for the ends of runs, each within 2^-23 of sums no larger than the
bound (vdpbf16ps does not fuse the two products of a pair). vdpbf16ps takes denormals for 0, of factors and
of sums, which loses at most 2^-126 per product of factors up to 8 and as much per sum.
"""
import math
import pathlib
import random
import struct
import subprocess
import sys

SIZES = [1, 16, 33, 61, 64, 97, 128, 131, 192, 250]
DEPTHS = [2, 13, 33, 64, 97, 128, 251, 300, 509, 640, 997]
LARGEST = 8


def count_of(shape):
    return math.prod(shape)


def tensor(shape, element="f32"):
    return "tensor<" + "".join(f"{n}x" for n in shape) + element + ">"


def data_of(numbers, element):
    """Little-endian bytes. In bf16, numbers lose their lower half."""
    if element == "f32":
        return struct.pack(f"<{len(numbers)}f", *numbers)
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


def write_array(path, numbers, shape, element):
    text = "(" + "".join(f"{n}, " for n in shape) + ")"
    kind = "<f4" if element == "f32" else "<V2"
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {text}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + data_of(numbers, element))


def read_array(path):
    data = path.read_bytes()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


def numbers_of(chosen, count, special):
    """Factors: many that bf16 does not hold, ties, both zeros, denormals and numbers close to them; with
    `special`, a few infinities and not-a-numbers as well."""
    ends = [0.0, -0.0, 2.0**-126, 1.00390625, -1.01171875, LARGEST]
    if not special:  # infinity times a denormal is infinity, and times 0 it is not
        ends += [1e-40, -3e-39]
    result = [chosen.uniform(-LARGEST, LARGEST) if chosen.random() < 0.9 else chosen.choice(ends)
              for _ in range(count)]
    for _ in range(3 if special else 0):
        result[chosen.randrange(count)] = chosen.choice([math.inf, -math.inf, math.nan])
    return result


def moved(lines, value, name, shape, between, full):
    """`value` under another shape, repeated, as `name`f."""
    lines.append(f"    %{name}r = tiny.reshape %{value} : {tensor(shape)} to {tensor(between)}")
    lines.append(f"    %{name}f = tiny.expand %{name}r : {tensor(between)} to {tensor(full)}")


def program(chosen):
    """A matmul, or a convolution of rows of 3 taps; its inputs (numbers, shape, element) and its depth."""
    narrow = chosen.random() < 0.5  # factors that lie in memory as bf16
    element, special = "bf16" if narrow else "f32", chosen.random() < 0.3
    m, n, k = chosen.choice(SIZES), chosen.choice(SIZES), chosen.choice(DEPTHS)
    turned = [chosen.random() < 0.4, chosen.random() < 0.4]
    full, lines = [m, k, n], []
    shapes = [[m, k], [k, n]]
    between = [[m, k, 1], [1, k, n]]
    if chosen.random() < 0.3:  # columns are windows: n + 2 of memory for each k, of which 3 are read
        window = min(k, 40)
        k, full, turned = 3 * window, [m, window, 3, n], [False, False]
        shapes, between = [[m, window, 3], [window, n + 2]], [[m, window, 3, 1], None]
    arguments, inputs = [], []
    for i, shape in enumerate(shapes):
        lies = shape[::-1] if turned[i] else shape
        name, numbers = f"in{i}", numbers_of(chosen, count_of(lies), special)
        if i == 1 and chosen.random() < 0.5:
            lines.append(f'    %{name} = tiny.constant dense<"0x{data_of(numbers, element).hex()}"> : '
                         f"{tensor(lies, element)}")
        else:
            arguments.append(f"%{name}: {tensor(lies, element)}")
            inputs.append((numbers, lies, element))
        if narrow:
            lines.append(f"    %w{i} = tiny.cast %{name} : {tensor(lies, 'bf16')} to {tensor(lies)}")
            name = f"w{i}"
        if turned[i]:
            lines.append(f"    %t{i} = tiny.permute %{name} [1, 0] : {tensor(lies)} -> {tensor(shape)}")
            name = f"t{i}"
        if between[i] is None:
            c, w = shape
            lines += [f"    %e0 = tiny.reshape %{name} : {tensor(shape)} to {tensor([c, 1, w])}",
                      f"    %e1 = tiny.expand %e0 : {tensor([c, 1, w])} to {tensor([c, 3, w])}",
                      f"    %e2 = tiny.reshape %e1 : {tensor([c, 3, w])} to {tensor([c, 3 * w])}",
                      f"    %e3 = tiny.pad %e2 low [0, 0] high [0, 3] value 0.0 : f32 : {tensor([c, 3 * w])} -> "
                      f"{tensor([c, 3 * w + 3])}",
                      f"    %e4 = tiny.reshape %e3 : {tensor([c, 3 * w + 3])} to {tensor([c, 3, w + 1])}",
                      f"    %s{i} = tiny.shrink %e4 offsets [0, 0, 0] sizes [{c}, 3, {n}] : "
                      f"{tensor([c, 3, w + 1])} -> {tensor([c, 3, n])}"]
            shape, name = [c, 3, n], f"s{i}"
        lines.append(f"    %one{i} = tiny.constant dense<-1.0> : {tensor(shape)}")
        lines.append(f"    %neg{i} = tiny.mul %{name}, %one{i} : {tensor(shape)}")
        lines.append(f"    %abs{i} = tiny.max %{name}, %neg{i} : {tensor(shape)}")
        moved(lines, name, f"v{i}", shape, between[i] or [1, *shape], full)
        moved(lines, f"abs{i}", f"abs{i}", shape, between[i] or [1, *shape], full)
    dims = list(range(1, len(full) - 1))
    for result, stem in (("p", "v"), ("q", "abs")):
        lines.append(f"    %{result}m = tiny.mul %{stem}0f, %{stem}1f : {tensor(full)}")
        lines.append(f"    %{result} = tiny.reduce add %{result}m dims {dims} : {tensor(full)} -> {tensor([m, n])}")
    text = "\n".join([f"func.func @main({', '.join(arguments)}) -> ({tensor([m, n])}, {tensor([m, n])}) {{", *lines,
                      f"    return %p, %q : {tensor([m, n])}, {tensor([m, n])}", "}", ""])
    return text, inputs, k


def check(path, actual, expected, bounds, depth):
    """How many elements are wrong, and how much of the bound the others need."""
    wrong, part = 0, 0.0
    relative = 2.0**-7 + 2.0**-16 + (depth + 16) * 2.0**-23
    absolute = (depth + 1) * (2 * LARGEST + 2) * 2.0**-126
    for index, (got, want, bound) in enumerate(zip(actual, expected, bounds)):
        if not math.isfinite(want):
            same = got == want or (math.isnan(got) and math.isnan(want))
        else:
            most = bound * relative + absolute
            same = abs(got - want) <= most
            part = max(part, abs(got - want) / most)
        wrong += not same
        if not same and wrong == 1:
            print(f"{path}: element {index}: got {got}, expected {want}, sum of magnitudes {bound}")
    return wrong, part


def main(folder, seed, count):
    chosen = random.Random(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wrong, rounded, most = 0, 0, 0.0
    for number in range(count):
        text, arrays, depth = program(chosen)
        path = folder / f"bf16-{number}.mlir"
        path.write_text(text)
        inputs = []
        for i, array in enumerate(arrays):
            write_array(folder / f"{i}.npy", *array)
            inputs += ["--input", f"@{folder}/{i}.npy"]
        results = {}
        for kind, options in (("reference", ["--target", "reference"]),
                              ("bf16", ["--precision", "bf16", "--poison", "--cache", "none", "--report"])):
            names = [folder / f"{kind}-{i}.npy" for i in range(2)]
            outputs = [option for name in names for option in ("--output", f"@{name}")]
            run = subprocess.run(["tiny-run", path, *inputs, *outputs, *options], capture_output=True, text=True)
            if run.returncode != 0:
                sys.exit(f"{path}:\n{run.stderr[-2000:]}")
            results[kind] = [read_array(name) for name in names]
        rounded += " kernels multiply in bf16: " in run.stdout
        expected, bounds = results["reference"]
        # The sum of magnitudes is a sum of products as well.
        for actual, reference in zip(results["bf16"], (expected, bounds)):
            bad, part = check(path, actual, reference, bounds, depth)
            wrong += bad
            most = max(most, part)
    print(f"{count} programs, {wrong} elements outside of the bound")
    print("some multiply in bf16" if rounded else "none multiplies in bf16")
    print(f"{rounded} of them in bf16; the largest error is {most:.2f} of its bound")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
