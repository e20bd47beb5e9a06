"""Convolutions and matrix products with a normalisation behind them, in every spelling, as the ONNX
importer writes them: the factor must go into the weights, and the results must stay within the
error bounds of the reference interpreter.

usage: scaled-sums.py TEMPORARY-FOLDER
"""
import itertools
import math
import os
import random
import subprocess
import sys

numbers = random.Random(7)


class Graph:
    def __init__(self):
        self.lines, self.names = [], 0

    def weights(self, shape, low=-1.0, high=1.0):
        self.names += 1
        data = [numbers.uniform(low, high) for _ in range(math.prod(shape))]
        self.lines.append(
            f'initializer {{ name: "w{self.names}" data_type: 1 dims: {shape} float_data: {data} }}')
        return f"w{self.names}"

    def node(self, op, inputs, **attributes):
        self.names += 1
        text = "".join(
            f' attribute {{ name: "{key}" type: INTS ints: {value} }}' if isinstance(value, list)
            else f' attribute {{ name: "{key}" type: INT i: {value} }}'
            for key, value in attributes.items())
        names = ", ".join(f'"{name}"' for name in inputs)
        self.lines.append(f'node {{ op_type: "{op}" input: [{names}] output: "t{self.names}"{text} }}')
        return f"t{self.names}"

    def text(self, shape, result):
        dims = " ".join(f"dim {{ dim_value: {size} }}" for size in shape)
        return ("ir_version: 8 opset_import { version: 13 }\ngraph {\n"
                f'input {{ name: "x" type {{ tensor_type {{ elem_type: 1 shape {{ {dims} }} }} }} }}\n'
                + "\n".join(self.lines) + f'\noutput {{ name: "{result}" }}\n}}\n')


# --- a sum of products with weights, [N, C, spatial...] or [N, C] ----------------

def convolution(graph, groups, features, taps, bias, **attributes):
    channels = 4
    weights = graph.weights([features, channels // groups] + taps)
    inputs = ["x", weights] + ([graph.weights([features])] if bias else [])
    return [2, channels] + [7] * len(taps), features, graph.node(
        "Conv", inputs, group=groups, **attributes)


def transposed(graph, bias):
    inputs = ["x", graph.weights([4, 3, 3, 3])] + ([graph.weights([3])] if bias else [])
    return [1, 4, 5, 5], 3, graph.node("ConvTranspose", inputs, strides=[1, 1])


def matmul(graph, bias):
    sums = graph.node("MatMul", ["x", graph.weights([5, 6])])
    return [3, 5], 6, graph.node("Add", [sums, graph.weights([6])]) if bias else sums


SUMS = {
    "conv1d": lambda g, b: convolution(g, 1, 5, [3], b),
    "conv2d": lambda g, b: convolution(g, 1, 5, [3, 3], b, strides=[2, 2], pads=[1, 1, 1, 1]),
    "grouped": lambda g, b: convolution(g, 2, 6, [3, 3], b),
    "depthwise": lambda g, b: convolution(g, 4, 8, [3, 3], b, dilations=[2, 2]),
    "transposed": transposed,
    "matmul": matmul,
}


# --- what comes behind it ---------------------------------------------------------

def along_channels(graph, rank, channels, low, high):
    return graph.weights([channels] + [1] * (rank - 2), low, high)


def batch_norm(graph, x, rank, channels):
    return graph.node("BatchNormalization", [
        x, graph.weights([channels], 0.5, 2), graph.weights([channels]),
        graph.weights([channels]), graph.weights([channels], 0.1, 2)])


def scale_and_shift(graph, x, rank, channels):
    x = graph.node("Mul", [along_channels(graph, rank, channels, -2, 2), x])
    return graph.node("Add", [x, along_channels(graph, rank, channels, -1, 1)])


def standardise(graph, x, rank, channels):
    x = graph.node("Sub", [x, along_channels(graph, rank, channels, -1, 1)])
    variance = graph.node("Add", [along_channels(graph, rank, channels, 0.1, 2),
                                  graph.weights([], 1e-5, 1e-5)])
    x = graph.node("Div", [x, graph.node("Sqrt", [variance])])
    x = graph.node("Mul", [x, along_channels(graph, rank, channels, 0.5, 2)])
    return graph.node("Add", [x, along_channels(graph, rank, channels, -1, 1)])


def twice(graph, x, rank, channels):
    return scale_and_shift(graph, batch_norm(graph, x, rank, channels), rank, channels)


NORMS = {"batch_norm": batch_norm, "scale_and_shift": scale_and_shift,
         "standardise": standardise, "twice": twice}


def run(command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


folder, count = sys.argv[1], 0
os.makedirs(folder, exist_ok=True)
for name, norm, bias in itertools.product(SUMS, NORMS, [False, True]):
    if name == "matmul" and norm == "batch_norm" and bias:
        continue  # the same as scale_and_shift
    graph = Graph()
    shape, channels, result = SUMS[name](graph, bias)
    result = NORMS[norm](graph, result, len(shape), channels)
    model = os.path.join(folder, f"{name}-{norm}-{bias}.onnx")
    proto = run(["protoc", "--encode=onnx.ModelProto", "--proto_path=/usr/include/onnx",
                 "onnx.proto"], input=graph.text(shape, result).encode())
    with open(model, "wb") as file:
        file.write(proto)

    program = run(["tiny-translate", "--import-onnx", model])
    folded = run(["tiny-opt", "--canonicalize", "--cse", "--tiny-schedule-fold-constants",
                  "--tiny-schedule-fold-scales"], input=program).decode()
    # The product in the sum is left, and at most one addition to it.
    found = [folded.count(f"tiny.{op} ") for op in ("mul", "div", "add", "reduce")]
    if found[0] != 1 or found[1] or found[2] > 1 or found[3] != 1:
        sys.exit(f"{model}: {found} mul, div, add and reduce are left, expected [1, 0, <= 1, 1]\n"
                 + folded)
    run(["tiny-run", model, "--input", "random:3", "--verify-against", "reference",
         "--output", "@" + model + ".npy"])
    count += 1
print(f"{count} models: every factor is in the weights, every result within its bounds")
