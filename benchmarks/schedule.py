#!/usr/bin/env python3
"""How long scheduling takes as programs grow: time against the number of ops, and its slope.

usage: benchmarks/schedule.py [--tiny-opt PATH] [--ops 1000 10000 50000] [--repeat N]

Each program is generated: blocks of a matrix product with bias and relu, a normalisation over rows, a
softmax, a residual addition and a concatenation with a slice, one behind the other. What is measured
is all of `tiny-opt --tiny-schedule` but reading and writing the file, from --mlir-timing.
"""
import argparse
import math
import os
import re
import subprocess
import tempfile


class Program:
    """Text of one function, op by op."""

    def __init__(self, rows, columns):
        self.lines, self.count, self.rows, self.columns = [], 0, rows, columns
        self.square = f"tensor<{columns}x{columns}xf32>"
        self.type = f"tensor<{rows}x{columns}xf32>"

    def op(self, text, result):
        self.lines.append(f"  %{self.count} = tiny.{text}" + (f" : {result}" if result else ""))
        self.count += 1
        return f"%{self.count - 1}"

    def splat(self, number, kind=None):
        return self.op(f"constant dense<{number}> : {kind or self.type}", "")

    def rows_of(self, value):
        """A number per row, for every element."""
        r, c = self.rows, self.columns
        column = self.op(f"reshape {value} : tensor<{r}xf32> to tensor<{r}x1xf32>", "")
        return self.op(f"expand {column} : tensor<{r}x1xf32> to {self.type}", "")

    def reduce(self, kind, value):
        return self.op(f"reduce {kind} {value} dims [1] : {self.type} -> tensor<{self.rows}xf32>", "")

    def product(self, x):
        r, c = self.rows, self.columns
        cube = f"tensor<{r}x{c}x{c}xf32>"
        weights = self.splat("0.01", self.square)
        a = self.op(f"reshape {x} : {self.type} to tensor<{r}x{c}x1xf32>", "")
        a = self.op(f"expand {a} : tensor<{r}x{c}x1xf32> to {cube}", "")
        b = self.op(f"reshape {weights} : {self.square} to tensor<1x{c}x{c}xf32>", "")
        b = self.op(f"expand {b} : tensor<1x{c}x{c}xf32> to {cube}", "")
        product = self.op(f"mul {a}, {b}", cube)
        total = self.op(f"reduce add {product} dims [1] : {cube} -> {self.type}", "")
        biased = self.op(f"add {total}, {self.splat(0.5)}", self.type)
        return self.op(f"max {biased}, {self.splat(0.0)}", self.type)

    def normalised(self, x):
        mean = self.rows_of(self.reduce("add", x))
        centred = self.op(f"add {x}, {self.op(f'mul {mean}, {self.splat(-1 / self.columns)}', self.type)}",
                          self.type)
        variance = self.rows_of(self.reduce("add", self.op(f"mul {centred}, {centred}", self.type)))
        return self.op(f"div {centred}, {self.op(f'sqrt {variance}', self.type)}", self.type)

    def softmax(self, x):
        greatest = self.rows_of(self.reduce("max", x))
        below = self.op(f"add {x}, {self.op(f'mul {greatest}, {self.splat(-1.0)}', self.type)}", self.type)
        exponential = self.op(f"exp2 {below}", self.type)
        return self.op(f"div {exponential}, {self.rows_of(self.reduce('add', exponential))}", self.type)

    def joined(self, x, y):
        r, c = self.rows, self.columns
        wide, index = f"tensor<{r}x{2 * c}xf32>", f"tensor<{r}x{2 * c}xi32>"
        a = self.op(f"pad {x} low [0, 0] high [0, {c}] value 0.0 : f32 : {self.type} -> {wide}", "")
        b = self.op(f"pad {y} low [0, {c}] high [0, 0] value 0.0 : f32 : {self.type} -> {wide}", "")
        left = self.op(f"cmp lt {self.op('iota dim 1', index)}, {self.splat(c, index)}", index)
        both = self.op(f"where {left}, {a}, {b}", wide)
        return self.op(f"shrink {both} offsets [0, {c // 2}] sizes [{r}, {c}] : {wide} -> {self.type}", "")

    def text(self, ops):
        x = "%x"
        while self.count < ops:
            y = self.product(x)
            y = self.normalised(self.op(f"add {x}, {y}", self.type))
            x = self.joined(self.softmax(self.product(y)), y)
        return "\n".join([f"func.func @main(%x: {self.type}) -> {self.type} {{", *self.lines,
                          f"  return {x} : {self.type}", "}"]) + "\n"


def measure(tiny_opt, path):
    run = subprocess.run([tiny_opt, path, "--tiny-schedule", "--mlir-timing", "-o", os.devnull],
                         capture_output=True, text=True, check=True)
    times = {name: float(seconds) for seconds, name in
             re.findall(r"^\s*([\d.]+) \([ \d.]+%\)\s+(\S.*?)\s*$", run.stderr, re.M)}
    return times["Total"] - times.get("Parser", 0) - times.get("Output", 0)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--tiny-opt", default=os.path.join(here, "../build/release/bin/tiny-opt"))
    arguments.add_argument("--ops", type=int, nargs="+", default=[1000, 10000, 50000])
    arguments.add_argument("--repeat", type=int, default=3)
    options = arguments.parse_args()
    print(f"{'ops':>8} {'seconds':>9} {'us per op':>10} {'slope':>6}")
    previous = None
    for ops in options.ops:
        with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
            program = Program(64, 32)
            file.write(program.text(ops))
            file.flush()
            seconds = min(measure(options.tiny_opt, file.name) for _ in range(options.repeat))
        slope = ""
        if previous:
            slope = f"{math.log(seconds / previous[1]) / math.log(program.count / previous[0]):.2f}"
        print(f"{program.count:8} {seconds:9.3f} {seconds / program.count * 1e6:10.1f} {slope:>6}", flush=True)
        previous = (program.count, seconds)
    print("slope: the exponent of time over ops since the line above; 1 is linear")


if __name__ == "__main__":
    main()
