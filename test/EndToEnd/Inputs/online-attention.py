"""Attention over rows that are too long to keep, in several spellings: one kernel with one online
reduction each, no workspace, and the same values as the reference.

usage: online-attention.py TEMPORARY-FOLDER
"""
import json
import os
import subprocess
import sys

LOG2E = 1.4426950408889634


class Program:
    """A program of tiny ops, as text. Values are (name, shape, element type)."""

    def __init__(self):
        self.arguments, self.lines, self.count = [], [], 0

    def type(self, value):
        return "tensor<" + "x".join([*map(str, value[1]), value[2]]) + ">"

    def input(self, name, shape, element="f32"):
        value = (f"%{name}", shape, element)
        self.arguments.append(f'{value[0]}: {self.type(value)} {{tiny.name = "{name}"}}')
        return value

    def add(self, text, shape, element):
        self.count += 1
        self.lines.append(f"%{self.count} = {text}")
        return (f"%{self.count}", shape, element)

    def constant(self, number, like):
        text = number if isinstance(number, str) else f"{number:e}"
        return self.add(f"tiny.constant dense<{text}> : {self.type(like)}", *like[1:])

    def unary(self, op, x):
        return self.add(f"tiny.{op} {x[0]} : {self.type(x)}", *x[1:])

    def binary(self, op, x, y):
        return self.add(f"tiny.{op} {x[0]}, {y[0]} : {self.type(x)}", *x[1:])

    def scaled(self, x, factor):
        return self.binary("mul", x, self.constant(factor, x))

    def minus(self, x, y):
        return self.binary("add", x, self.scaled(y, -1.0))

    def cast(self, x, element):
        result = ("", x[1], element)
        return self.add(f"tiny.cast {x[0]} : {self.type(x)} to {self.type(result)}", *result[1:])

    def reshape(self, x, shape):
        result = ("", shape, x[2])
        return self.add(f"tiny.reshape {x[0]} : {self.type(x)} to {self.type(result)}", *result[1:])

    def expand(self, x, shape):
        result = ("", shape, x[2])
        return self.add(f"tiny.expand {x[0]} : {self.type(x)} to {self.type(result)}", *result[1:])

    def permute(self, x, order):
        result = ("", [x[1][dim] for dim in order], x[2])
        return self.add(f"tiny.permute {x[0]} {order} : {self.type(x)} -> {self.type(result)}",
                        *result[1:])

    def reduce(self, kind, x, dim):
        shape = x[1][:dim] + x[1][dim + 1:]
        result = ("", shape, x[2])
        return self.add(f"tiny.reduce {kind} {x[0]} dims [{dim}] : "
                        f"{self.type(x)} -> {self.type(result)}", *result[1:])

    def along(self, x, shape, dim):
        """`x`, which lacks dim `dim` of `shape`, repeated along it."""
        return self.expand(self.reshape(x, shape[:dim] + [1] + shape[dim + 1:]), shape)

    def product(self, x, y):
        """x[h, m, k] by y[h, k, n]."""
        heads, rows, inner = x[1]
        columns = y[1][2]
        whole = [heads, rows, columns, inner]
        return self.reduce("add", self.binary("mul", self.along(x, whole, 2),
                                              self.along(self.permute(y, [0, 2, 1]), whole, 1)), 3)

    def where_before(self, limit, value, x, dim=2):
        """`value` before index `limit` of dim `dim`, else `x`."""
        size = x[1][dim]
        keys = ("", [size], "i32")
        iota = self.add(f"tiny.iota dim 0 : {self.type(keys)}", *keys[1:])
        last = self.constant(str(limit), iota)
        test = self.add(f"tiny.cmp lt {iota[0]}, {last[0]} : {self.type(iota)}", keys[1], "i1")
        test = self.expand(self.reshape(test, [size if d == dim else 1 for d in range(3)]), x[1])
        other = self.constant(value, x)
        return self.add(f"tiny.where {test[0]}, {other[0]}, {x[0]} : {self.type(x)}", *x[1:])

    def text(self, *results):
        names, types = (", ".join(part) for part in
                        ([r[0] for r in results], [self.type(r) for r in results]))
        body = "\n".join("  " + line for line in self.lines)
        return (f"func.func @main({', '.join(self.arguments)}) -> ({types}) {{\n{body}\n"
                f"  return {names} : {types}\n}}\n")


def attention(heads=2, rows=16, keys=8209, depth=3, element="f32", inside=None, mask=None,
              normalise="before", exponent="scaled", extra=None, groups=1, values=None):
    p = Program()
    q = p.input("q", [heads, rows, depth], element)
    k = p.input("k", [heads // groups, keys, depth], element)
    v = p.input("v", [heads // groups, keys, depth], element)
    if values:
        v = p.constant(values, v)
    if inside:
        q, k, v = (p.cast(x, inside) for x in (q, k, v))
    if groups > 1:  # several heads of queries share one of keys and values
        k, v = (p.reshape(p.along(x, [heads // groups, groups, keys, depth], 1),
                          [heads, keys, depth]) for x in (k, v))
    s = p.product(q, p.permute(k, [0, 2, 1]))
    if mask == "data":
        s = p.binary("add", s, p.along(p.input("mask", [rows, keys], s[2]), s[1], 0))
    elif mask:
        s = p.where_before(mask[0], mask[1], s, *mask[2:])
    if exponent == "prescaled":
        s = p.scaled(s, LOG2E)
    m = p.reduce("max", s, 2)
    distance = p.minus(s, p.along(m, s[1], 2))
    if exponent == "square":  # no exponential: nothing that can be rescaled
        e = p.binary("mul", distance, distance)
    elif exponent == "split":  # 2^(a + b) as a product
        half = p.unary("exp2", p.scaled(distance, LOG2E / 2))
        e = p.binary("mul", half, half)
    else:
        e = p.unary("exp2", distance if exponent == "prescaled" else p.scaled(distance, LOG2E))
    l = p.reduce("add", e, 2)
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
