"""Attention over rows that are too long to keep, in several spellings: one kernel with one online
reduction each, no workspace, and the same values as the reference.

usage: online-attention.py TEMPORARY-FOLDER
"""
import json
import os
import subprocess
import sys

from tensor_program import Program

LOG2E = 1.4426950408889634


def where_before(p, limit, value, x, dim=2):
    """`value` before index `limit` of dim `dim`, else `x`."""
    size = x[1][dim]
    iota = p.iota(size)
    test = p.compare("lt", iota, p.constant(str(limit), iota))
    test = p.expand(p.reshape(test, [size if d == dim else 1 for d in range(3)]), x[1])
    return p.where(test, p.constant(value, x), x)


def attention(heads=2, rows=16, keys=8209, depth=3, element="f32", inside=None, mask=None,
              normalise="before", exponent="scaled", extra=None, groups=1, values=None):
    p = Program()
    q = p.input([heads, rows, depth], element, "q")
    k = p.input([heads // groups, keys, depth], element, "k")
    v = p.input([heads // groups, keys, depth], element, "v")
    if values:
        v = p.constant(values, v)
    if inside:
        q, k, v = (p.cast(x, inside) for x in (q, k, v))
    if groups > 1:  # several heads of queries share one of keys and values
        k, v = (p.reshape(p.along(x, [heads // groups, groups, keys, depth], 1),
                          [heads, keys, depth]) for x in (k, v))
    s = p.product(q, p.permute(k, [0, 2, 1]))
    if mask == "data":
        s = p.binary("add", s, p.along(p.input([rows, keys], s[2], "mask"), s[1], 0))
    elif mask:
        s = where_before(p, mask[0], mask[1], s, *mask[2:])
    if exponent == "prescaled":
        s = p.scaled(s, LOG2E)
    m = p.reduce("max", s, [2])
    distance = p.minus(s, p.along(m, s[1], 2))
    if exponent == "square":  # no exponential: nothing that can be rescaled
        e = p.binary("mul", distance, distance)
    elif exponent == "split":  # 2^(a + b) as a product
        half = p.unary("exp2", p.scaled(distance, LOG2E / 2))
        e = p.binary("mul", half, half)
    else:
        e = p.unary("exp2", distance if exponent == "prescaled" else p.scaled(distance, LOG2E))
    l = p.reduce("add", e, [2])
    if normalise == "before":
        o = p.product(p.binary("div", e, p.along(l, e[1], 2)), v)
    elif normalise == "reciprocal":
        inverse = p.binary("div", p.constant(1.0, l), l)
        o = p.product(p.binary("mul", p.along(inverse, e[1], 2), e), v)
    else:
        o = p.product(e, v)
        o = p.binary("div", o, p.along(l, o[1], 2))
    if inside:
        o = p.cast(o, element)
    if extra == "logsumexp":
        return p.text(o, p.binary("add", m, p.unary("log2", l)))
    return p.text(o)


# Name, program, whether it is an online reduction.
CASES = [
    ("divided before the product", attention(), True),
    ("divided after it", attention(normalise="after"), True),
    ("times the reciprocal", attention(normalise="reciprocal", keys=8448), True),
    ("scores in base two", attention(exponent="prescaled", keys=9000), True),
    ("a square of exponentials", attention(exponent="split"), True),
    ("additive mask", attention(mask="data", rows=32, heads=1), True),
    ("a block that minus infinity masks", attention(mask=("6000", "0xFF800000")), True),
    ("rows that minus infinity masks", attention(mask=("5", "0xFF800000", 1)), True),
    ("a block that the lowest number masks", attention(mask=("6000", "0xFF7FFFFF")), True),
    ("scores of infinity", attention(mask=("3", "0x7F800000")), True),
    ("scores that are NaN", attention(mask=("3", "0x7FC00000")), True),
    ("f16, computed in f32", attention(element="f16", inside="f32"), True),
    ("bf16, computed in f32", attention(element="bf16", inside="f32"), True),
    ("f16", attention(element="f16", keys=16411, depth=2), True),
    # The sum of the values that are not divided yet is no number of the type.
    ("f16, large values", attention(element="f16", keys=16411, depth=2, values=1e4), True),
    ("f64", attention(element="f64"), True),
    ("grouped heads", attention(heads=6, rows=5, groups=3), True),
    ("one row of many heads", attention(heads=24, rows=1), True),
    ("the logarithm of the sum, too", attention(extra="logsumexp"), True),
    ("no exponential", attention(exponent="square"), False),
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
    for name, program, online in CASES:
        path = os.path.join(folder, "program.mlir")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        ops = command("tiny-opt", "--tiny-schedule", path).count("tiny.online_reduce")
        report = json.loads(command("tiny-opt", "--tiny-report=json", path))
        launches, workspace = report["total"]["launches"], report["memory"]["workspace"]
        checked = command("tiny-run", path, "--input", "random:5", "--poison", "--verify-against",
                          "reference")
        problem = ""
        if ops != online:
            problem = "the wrong number of online reductions"
        elif online and (launches > 1 or workspace):
            problem = "more than one kernel without workspace"
        elif "agrees with the reference" not in checked:
            problem = "disagrees with the reference"
        failed += bool(problem)
        print(f"{name}: {launches} kernels, {workspace} bytes of workspace, {ops} online reductions"
              f"{': FAILED, ' + problem if problem else ''}", flush=True)
    print(f"{len(CASES)} programs, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
