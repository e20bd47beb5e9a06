#!/usr/bin/env python3
"""Matrix products, convolutions, reductions and attention of random shapes, primes and tiny sizes among
them, in f32, f16, bf16 and i8, on the simulated card against the reference and its error bounds.

usage: random-shapes.py FOLDER SEED COUNT [wmma]
With `wmma`, attention only, whose products are large enough for matrix instructions; says how many
kernels have any.
"""
import collections
import pathlib
import random
import subprocess
import sys

from tensor_program import Program

SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33, 37, 48, 61, 64, 67, 97, 127, 128, 131]
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 24, 31, 32, 64]
IMAGES = [1, 2, 3, 5, 7, 8, 9, 13, 14, 16, 17, 23, 28, 31, 32]
DEPTHS = [1, 2, 3, 4, 7, 8, 13, 16, 17, 31, 32, 64, 67, 128]
# Enough work for matrix instructions, which small shapes do without.
LARGE_SIZES = [64, 96, 127, 128, 150, 192, 200, 255, 256, 257]
LARGE_CHANNELS = [32, 33, 48, 64, 65, 96]
LONG_SIDES = [191, 257, 384, 509, 1031]  # of one side of a product
LONG_ROWS = [1021, 2048, 4099, 9001, 17000]  # of attention, of little depth
# Of attention, enough of it for matrix instructions.
ATTENTION_SIZES = [32, 48, 64, 96, 100, 112, 127, 128, 131, 160, 197, 256, 257, 320, 401, 509, 512]
ATTENTION_DEPTHS = [16, 17, 24, 31, 32, 40, 48, 64, 67, 80]
ELEMENTS = ["f32", "f16", "bf16", "i8"]
LOG2E = 1.4426950408889634
IN_A_PROGRAM = 20  # results of one program, so that it is compiled in one go


def wide(element):
    """Narrow floats and i8 are summed in 32 bits."""
    return "i32" if element == "i8" else "f32"


def factor(p, chosen, shape, element):
    """An argument, or now and then a constant of numbers as small as those of arguments."""
    count = 1
    for n in shape:
        count *= n
    if chosen.random() < 0.75 or count > 20000:
        return p.input(shape, element)
    if element == "i8":
        return p.bits(bytes(chosen.randrange(-8, 8) % 256 for _ in range(count)), shape, element)
    # Halves to one, of either sign: the upper two bytes of an f32, which are a bf16, or an f16.
    first, last = (0x3800, 0x3BFF) if element == "f16" else (0x3F00, 0x3F7F)
    high = [chosen.randint(first, last) | chosen.randrange(2) << 15 for _ in range(count)]
    zeros = b"\0\0" if element == "f32" else b""
    return p.bits(b"".join(zeros + bits.to_bytes(2, "little") for bits in high), shape, element)


def finished(p, chosen, x, element, columns):
    """`x` with what often stands behind a contraction: a bias along dim `columns`, relu, its own type."""
    if x[2] == "f32":
        if chosen.random() < 0.3:
            bias = p.input([x[1][columns]])
            bias = p.reshape(bias, [n if dim == columns else 1 for dim, n in enumerate(x[1])])
            x = p.binary("add", x, p.expand(bias, x[1]))
        if chosen.random() < 0.3:
            x = p.binary("max", x, p.constant(0.0, x))
    return p.cast(x, element) if x[2] == "f32" and chosen.random() < 0.5 else x


def product(p, chosen, element):
    sizes = [chosen.choice(SIZES) for _ in range(3)]
    if element != "f32" and chosen.random() < 0.35:
        sizes = [chosen.choice(LARGE_SIZES) for _ in range(3)]
    elif chosen.random() < 0.2:
        sizes[chosen.randrange(3)] = chosen.choice(LONG_SIDES)
    m, n, k = sizes
    batch = chosen.choice([[], [], [], [chosen.choice([2, 3, 5])]])
    a = p.input([*batch, m, k], element)
    if chosen.random() < 0.5:
        b = factor(p, chosen, [*batch, k, n], element)
    else:  # the other one comes transposed
        b = factor(p, chosen, [*batch, n, k], element)
        b = p.permute(b, [*range(len(batch)), len(batch) + 1, len(batch)])
    x = p.product(p.cast(a, wide(element)), p.cast(b, wide(element)))
    return finished(p, chosen, x, element, len(batch) + 1)


def convolution(p, chosen, element):
    groups = 1
    most = 10_000_000
    features, inner = chosen.choice(CHANNELS), chosen.choice(CHANNELS)
    if element != "f32" and chosen.random() < 0.35:
        features, inner, most = chosen.choice(LARGE_CHANNELS), chosen.choice(LARGE_CHANNELS), 25_000_000
    kind = chosen.random()
    if kind < 0.25:  # each channel for itself
        groups, features, inner = chosen.choice(CHANNELS), chosen.choice([1, 1, 2]), 1
    elif kind < 0.4:
        groups = chosen.choice([2, 3, 4])
    if chosen.random() < 0.25:
        taps = [1, 1]
    else:
        taps = [chosen.choice([1, 2, 3, 3, 3, 4, 5, 7]) for _ in range(2)]
    strides = [chosen.choice([1, 1, 1, 2, 3]) for _ in range(2)]
    dilations = [chosen.choice([1, 1, 1, 2, 3]) for _ in range(2)]
    low, high = ([chosen.randrange(0, tap + 1) for tap in taps] for _ in range(2))
    size = []
    for i in range(2):
        least = (taps[i] - 1) * dilations[i] + 1 - low[i] - high[i]
        size.append(max(least, chosen.choice(IMAGES)))
    while inner * features * groups * taps[0] * taps[1] * size[0] * size[1] > most:
        inner, features = (inner + 1) // 2, (features + 1) // 2
    batch = chosen.choice([1, 1, 1, 2, 3])
    x = p.cast(p.input([batch, groups * inner, *size], element), wide(element))
    weights = p.cast(factor(p, chosen, [groups * features, inner, *taps], element), wide(element))
    x = p.convolution(x, weights, strides, dilations, low, high, groups)
    return finished(p, chosen, x, element, 1)


def reduction(p, chosen, element):
    shape = [chosen.choice(SIZES) for _ in range(3)]
    dims = sorted(chosen.sample(range(3), chosen.randint(1, 3)))
    x = p.cast(p.input(shape, element), wide(element))
    return p.reduce(chosen.choice(["add", "max"]), x, dims)


def attention(p, chosen, element, large=False):
    heads = chosen.choice([1, 1, 2, 3, 4, 8])
    sizes, depths = (ATTENTION_SIZES, ATTENTION_DEPTHS) if large else (SIZES, DEPTHS)
    rows, keys = chosen.choice(sizes), chosen.choice(sizes)
    depth, width = chosen.choice(depths), chosen.choice(depths)
    if chosen.random() < 0.5:
        width = depth
    causal = chosen.random() < 0.4
    if causal and chosen.random() < 0.7:
        rows = keys
    if not large and chosen.random() < 0.1:
        heads, rows, keys = chosen.choice([1, 2]), chosen.choice([1, 2, 5]), chosen.choice(LONG_ROWS)
        depth, width = chosen.choice([1, 3, 8, 16]), chosen.choice([1, 3, 8, 16])
    while heads * rows * keys * (depth + width) > 12_000_000:
        rows = (rows + 1) // 2
    # Scores and weights are rounded to the type, or stay f32.
    rounds = element in ("f16", "bf16") and chosen.random() < 0.5

    def rounded(x):
        return p.cast(p.cast(x, element), "f32") if rounds else x

    shared = chosen.random() < 0.2  # all heads have the keys and values of one
    q = p.cast(p.input([heads, rows, depth], element), wide(element))
    k = p.cast(p.input([1 if shared else heads, keys, depth], element), wide(element))
    v = p.cast(p.input([1 if shared else heads, keys, width], element), "f32")
    k, v = (p.expand(x, [heads, *x[1][1:]]) for x in (k, v))
    s = p.cast(p.product(q, p.permute(k, [0, 2, 1])), "f32")
    s = rounded(p.scaled(s, chosen.choice([0.125, depth ** -0.5])))
    if causal:  # the last row sees all keys, and every row its first one
        after = p.along(p.along(p.iota(keys), [rows, keys], 0), s[1], 0)
        last = p.binary("add", p.iota(rows), p.constant(max(keys - rows, 0), ("", [rows], "i32")))
        last = p.along(p.along(last, [rows, keys], 1), s[1], 0)
        s = p.where(p.compare("lt", last, after), p.constant("0xFF800000", s), s)
    distance = p.minus(s, p.along(p.reduce("max", s, [2]), s[1], 2))
    e = p.unary("exp2", p.scaled(distance, LOG2E))
    total = p.reduce("add", e, [2])
    if chosen.random() < 0.6:
        o = p.product(rounded(p.binary("div", e, p.along(total, s[1], 2))), v)
    else:
        o = p.product(rounded(e), v)
        o = p.binary("div", o, p.along(total, o[1], 2))
    return p.cast(o, element) if rounds else o


def large_attention(p, chosen, element):
    return attention(p, chosen, element, large=True)


KINDS = [product, convolution, attention, product, convolution, reduction, attention]


def main(folder, seed, count, what=None):
    chosen = random.Random(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kinds_in_turn, elements = KINDS, ELEMENTS
    if what == "wmma":
        kinds_in_turn, elements = [large_attention], ["f16", "bf16", "f16", "bf16", "i8"]
    done, failed, with_wmma, kinds = 0, 0, 0, collections.Counter()
    while done < count:
        p, results = Program(), []
        for i in range(done, min(done + IN_A_PROGRAM, count)):
            kind = kinds_in_turn[i % len(kinds_in_turn)]
            kinds[kind.__name__] += 1
            results.append(kind(p, chosen, chosen.choice(elements)))
        path = folder / f"shapes-{done}.mlir"
        path.write_text(p.text(*results))
        inputs = [word for i in range(len(p.arguments)) for word in ("--input", f"random:{i + 1}")]
        run = subprocess.run(["tiny-run", path, *inputs, "--target", "rdna3", "--device", "sim", "--poison",
                              "--verify-against", "reference"], capture_output=True, text=True)
        if run.returncode != 0 or run.stdout.count("agrees with the reference") != len(results):
            failed += 1
            print(f"{path}:\n{run.stderr[-2000:]}")
        if what == "wmma":
            asm = subprocess.run(["tiny-run", path, "--target", "rdna3", "--emit", "asm"],
                                 capture_output=True, text=True).stdout
            with_wmma += sum("v_wmma" in kernel for kernel in asm.split("s_endpgm"))
        done += len(results)
    print(", ".join(f"{n} {kind}s" for kind, n in sorted(kinds.items())))
    print(f"{done} shapes, {failed} programs failed")
    if what == "wmma":
        print(f"{with_wmma} kernels with matrix instructions")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
