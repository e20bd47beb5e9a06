"""Programs of tiny ops, as text: what the scripts beside this file make theirs of."""


class Program:
    """One function. Values are (name, shape, element type)."""

    def __init__(self):
        self.arguments, self.lines, self.count = [], [], 0

    def type(self, value):
        return "tensor<" + "x".join([*map(str, value[1]), value[2]]) + ">"

    def input(self, shape, element="f32", name=None):
        value = (f"%{name}" if name else f"%in{len(self.arguments)}", shape, element)
        attributes = f' {{tiny.name = "{name}"}}' if name else ""
        self.arguments.append(f"{value[0]}: {self.type(value)}{attributes}")
        return value

    def add(self, text, shape, element):
        self.count += 1
        self.lines.append(f"%{self.count} = {text}")
        return (f"%{self.count}", shape, element)

    # Numbers and elementwise ops.

    def constant(self, number, like):
        text = number if isinstance(number, str) else str(number) if like[2][0] == "i" else f"{number:e}"
        return self.add(f"tiny.constant dense<{text}> : {self.type(like)}", *like[1:])

    def bits(self, data, shape, element):
        """A constant of the bytes `data`."""
        return self.add(f'tiny.constant dense<"0x{data.hex().upper()}"> : {self.type(("", shape, element))}',
                        shape, element)

    def unary(self, op, x):
        return self.add(f"tiny.{op} {x[0]} : {self.type(x)}", *x[1:])

    def binary(self, op, x, y):
        return self.add(f"tiny.{op} {x[0]}, {y[0]} : {self.type(x)}", *x[1:])

    def scaled(self, x, factor):
        return self.binary("mul", x, self.constant(factor, x))

    def minus(self, x, y):
        return self.binary("add", x, self.scaled(y, -1.0))

    def cast(self, x, element):
        return x if x[2] == element else self.to(x, "cast", x[1], element)

    def iota(self, size):
        keys = ("", [size], "i32")
        return self.add(f"tiny.iota dim 0 : {self.type(keys)}", *keys[1:])

    def compare(self, kind, x, y):
        return self.add(f"tiny.cmp {kind} {x[0]}, {y[0]} : {self.type(x)}", x[1], "i1")

    def where(self, test, x, y):
        return self.add(f"tiny.where {test[0]}, {x[0]}, {y[0]} : {self.type(x)}", *x[1:])

    # Movement.

    def to(self, x, op, shape, element=None):
        """What changes the type only."""
        result = ("", shape, element or x[2])
        return self.add(f"tiny.{op} {x[0]} : {self.type(x)} to {self.type(result)}", *result[1:])

    def reshape(self, x, shape):
        return x if x[1] == shape else self.to(x, "reshape", shape)

    def expand(self, x, shape):
        return x if x[1] == shape else self.to(x, "expand", shape)

    def moved(self, x, words, shape):
        result = ("", shape, x[2])
        return self.add(f"tiny.{words} : {self.type(x)} -> {self.type(result)}", *result[1:])

    def permute(self, x, order):
        return self.moved(x, f"permute {x[0]} {order}", [x[1][dim] for dim in order])

    def pad(self, x, low, high):
        value = "0" if x[2][0] == "i" else "0.0"
        return self.moved(x, f"pad {x[0]} low {low} high {high} value {value} : {x[2]}",
                          [a + n + b for a, n, b in zip(low, x[1], high)])

    def shrink(self, x, sizes):
        """The first elements."""
        if x[1] == sizes:
            return x
        return self.add(f"tiny.shrink {x[0]} offsets {[0] * len(sizes)} sizes {sizes} : "
                        f"{self.type(x)} -> {self.type(('', sizes, x[2]))}", sizes, x[2])

    def stride(self, x, steps):
        shape = [-(-n // step) for n, step in zip(x[1], steps)]
        return self.moved(x, f"stride {x[0]} {steps}", shape)

    def along(self, x, shape, dim):
        """`x`, which lacks dim `dim` of `shape`, repeated along it."""
        return self.expand(self.reshape(x, shape[:dim] + [1] + shape[dim + 1:]), shape)

    def windows(self, x, dim, taps, stride, dilation):
        """Dim `dim` of x becomes two, positions and taps: copies of it, end to end, are cut into rows
        that are `dilation` longer than it, so that each tap starts that much later."""
        before, size, after = x[1][:dim], x[1][dim], x[1][dim + 1:]
        extent = (taps - 1) * dilation + 1
        positions = (size - extent) // stride + 1
        row = size + dilation
        copies = -(-taps * row // size)
        x = self.along(x, [*before, copies, size, *after], dim)
        x = self.reshape(x, [*before, copies * size, *after])
        x = self.shrink(x, [*before, taps * row, *after])
        x = self.reshape(x, [*before, taps, row, *after])
        x = self.shrink(x, [*before, taps, (positions - 1) * stride + 1, *after])
        x = self.stride(x, [1] * (dim + 1) + [stride] + [1] * len(after))
        return self.permute(x, [*range(dim), dim + 1, dim, *range(dim + 2, len(x[1]))])

    # Sums.

    def reduce(self, kind, x, dims):
        shape = [n for dim, n in enumerate(x[1]) if dim not in dims]
        return self.moved(x, f"reduce {kind} {x[0]} dims {dims}", shape)

    def product(self, x, y):
        """x[…, m, k] by y[…, k, n]."""
        *batch, rows, inner = x[1]
        whole = [*batch, rows, y[1][-1], inner]
        first = len(batch)
        y = self.permute(y, [*range(first), first + 1, first])
        product = self.binary("mul", self.along(x, whole, first + 1), self.along(y, whole, first))
        return self.reduce("add", product, [first + 2])

    def convolution(self, x, weights, strides, dilations, low, high, groups):
        """x[n, c, h, w] by weights[f, c / groups, kh, kw]."""
        batch, channels = x[1][:2]
        features, inner, *taps = weights[1]
        x = self.pad(x, [0, 0, *low], [0, 0, *high])
        for i in reversed(range(len(taps))):
            x = self.windows(x, 2 + i, taps[i], strides[i], dilations[i])
        rows, columns = x[1][2], x[1][4]
        x = self.permute(x, [0, 1, 2, 4, 3, 5])
        x = self.reshape(x, [batch, groups, 1, inner, rows, columns, *taps])
        weights = self.reshape(weights, [1, groups, features // groups, inner, 1, 1, *taps])
        whole = [batch, groups, features // groups, inner, rows, columns, *taps]
        product = self.binary("mul", self.expand(x, whole), self.expand(weights, whole))
        return self.reshape(self.reduce("add", product, [3, 6, 7]), [batch, features, rows, columns])

    def text(self, *results):
        names, types = (", ".join(part) for part in
                        ([r[0] for r in results], [self.type(r) for r in results]))
        body = "\n".join("  " + line for line in self.lines)
        return (f"func.func @main({', '.join(self.arguments)}) -> ({types}) {{\n{body}\n"
                f"  return {names} : {types}\n}}\n")
