"""Programs that an expert would write as one loop nest, as the ONNX importer writes them: how many
kernels and what workspace they take, and whether small ones of them agree with the reference.

usage: fused-kernels.py TEMPORARY-FOLDER
"""
import json
import math
import os
import random
import subprocess
import sys

numbers = random.Random(11)


class Graph:
    """An ONNX model in the text form of its protocol buffer."""

    def __init__(self):
        self.lines, self.names = [], 0

    def input(self, name, shape, kind=1):
        dims = " ".join(f"dim {{ dim_value: {size} }}" for size in shape)
        self.lines.append(f'input {{ name: "{name}" type {{ tensor_type {{ elem_type: {kind} '
                          f'shape {{ {dims} }} }} }} }}')
        return name

    def constant(self, shape, data):
        self.names += 1
        self.lines.append(f'initializer {{ name: "c{self.names}" data_type: 1 dims: {shape} '
                          f'float_data: {data} }}')
        return f"c{self.names}"

    def random(self, shape, low=-1.0, high=1.0):
        return self.constant(shape, [numbers.uniform(low, high) for _ in range(math.prod(shape))])

    def node(self, op, inputs, **attributes):
        self.names += 1
        text = ""
        for key, value in attributes.items():
            if isinstance(value, list):
                text += f' attribute {{ name: "{key}" type: INTS ints: {value} }}'
            elif isinstance(value, float):
                text += f' attribute {{ name: "{key}" type: FLOAT f: {value} }}'
            else:
                text += f' attribute {{ name: "{key}" type: INT i: {value} }}'
        names = ", ".join(f'"{name}"' for name in inputs)
        self.lines.append(f'node {{ op_type: "{op}" input: [{names}] output: "t{self.names}"{text} }}')
        return f"t{self.names}"

    def text(self, *results):
        outputs = "\n".join(f'output {{ name: "{result}" }}' for result in results)
        return ("ir_version: 8 opset_import { version: 17 }\ngraph {\n" + "\n".join(self.lines) +
                f"\n{outputs}\n}}\n")


def contraction():
    g = Graph()
    product = g.node("MatMul", [g.input("x", [24, 40]), g.random([40, 17])])
    return g.text(g.node("Relu", [g.node("Add", [product, g.random([17])])]))


def softmax(axis, shape):
    g = Graph()
    return g.text(g.node("Softmax", [g.input("x", shape)], axis=axis))


def layer_norm():
    g = Graph()
    return g.text(g.node("LayerNormalization", [g.input("x", [4, 9, 96]), g.random([96]), g.random([96])],
                         axis=-1))


def spelled_layer_norm():
    g = Graph()
    x = g.input("x", [4, 9, 96])
    centred = g.node("Sub", [x, g.node("ReduceMean", [x], axes=[-1])])
    square = g.node("Pow", [centred, g.constant([1], [2.0])])
    variance = g.node("ReduceMean", [square], axes=[-1])
    root = g.node("Sqrt", [g.node("Add", [variance, g.constant([1], [1e-5])])])
    scaled = g.node("Mul", [g.node("Div", [centred, root]), g.random([96])])
    return g.text(g.node("Add", [scaled, g.random([96])]))


def rms_norm(axis):
    g = Graph()
    x = g.input("x", [6, 20, 12])
    mean = g.node("ReduceMean", [g.node("Mul", [x, x])], axes=[axis])
    root = g.node("Sqrt", [g.node("Add", [mean, g.constant([1], [1e-5])])])
    return g.text(g.node("Mul", [x, g.node("Reciprocal", [root])]))


def instance_norm():
    g = Graph()
    return g.text(g.node("InstanceNormalization",
                         [g.input("x", [2, 6, 9, 7]), g.random([6]), g.random([6])]))


def attention(heads, rows, keys, depth, causal):
    g = Graph()
    q, k, v = (g.input(name, [1, heads, size, depth])
               for name, size in (("q", rows), ("k", keys), ("v", keys)))
    scores = g.node("MatMul", [q, g.node("Transpose", [k], perm=[0, 1, 3, 2])])
    scores = g.node("Div", [scores, g.constant([1], [math.sqrt(depth)])])
    if causal:
        mask = [0.0 if key <= row else -1e9 for row in range(rows) for key in range(keys)]
        scores = g.node("Add", [scores, g.constant([1, 1, rows, keys], mask)])
    return g.text(g.node("MatMul", [g.node("Softmax", [scores], axis=-1), v]))


def residual_block():
    g = Graph()
    conv = g.node("Conv", [g.input("x", [1, 8, 14, 14]), g.random([16, 8, 3, 3])], pads=[1, 1, 1, 1])
    norm = g.node("BatchNormalization",
                  [conv, g.random([16], 0.5, 1.5), g.random([16]), g.random([16]),
                   g.random([16], 0.5, 1.5)])
    return g.text(g.node("Relu", [g.node("Add", [norm, g.input("r", [1, 16, 14, 14])])]))


def joined_convolutions():
    g = Graph()
    x = g.input("x", [2, 8, 9, 9])
    left = g.node("Relu", [g.node("Conv", [x, g.random([6, 8, 1, 1])])])
    right = g.node("Relu", [g.node("Conv", [x, g.random([10, 8, 3, 3])], pads=[1, 1, 1, 1])])
    joined = g.node("Concat", [left, right], axis=1)
    return g.text(g.node("Conv", [joined, g.random([5, 16, 3, 3])]))


def transposed_convolution():
    g = Graph()
    conv = g.node("ConvTranspose", [g.input("x", [1, 6, 7, 5]), g.random([6, 4, 4, 4])],
                  strides=[2, 2], pads=[1, 1, 1, 1])
    return g.text(g.node("Relu", [conv]))


def embedding(rows, columns, places):
    g = Graph()
    table = g.input("x", [rows, columns])
    return g.text(g.node("Gather", [table, g.input("places", [places], kind=6)], axis=0))


def projections():
    g = Graph()
    x = g.input("x", [128, 64])
    return g.text(*(g.node("MatMul", [x, g.random([64, size])]) for size in (64, 32, 32)))


def cumulative_sum(shape, axis, **attributes):
    g = Graph()
    g.lines.append(f'initializer {{ name: "axis" data_type: 6 int32_data: {axis} }}')
    return g.text(g.node("Relu", [g.node("CumSum", [g.input("x", shape), "axis"], **attributes)]))


# Name, model, kernels and bytes of workspace at most, and whether it is small enough to run here.
CASES = [
    ("matmul, bias, relu", contraction(), 1, 0, True),
    ("softmax, last axis", softmax(-1, [13, 40]), 1, 0, True),
    ("softmax, 1000 classes", softmax(-1, [1, 1000]), 1, 0, True),
    ("softmax, middle axis", softmax(1, [2, 21, 7, 9]), 1, 0, True),
    ("softmax, first axis", softmax(0, [13, 5]), 1, 0, True),
    ("layer norm", layer_norm(), 1, 0, True),
    ("layer norm, spelled", spelled_layer_norm(), 1, 0, True),
    ("RMS norm, last axis", rms_norm(-1), 1, 0, True),
    ("RMS norm, middle axis", rms_norm(1), 1, 0, True),
    ("RMS norm, first axis", rms_norm(0), 1, 0, True),
    ("instance norm", instance_norm(), 1, 0, True),
    ("attention, 3 x 17 x 5", attention(3, 17, 17, 5, True), 1, 0, True),
    ("attention, 2 x 1 x 33", attention(2, 1, 33, 8, False), 1, 0, True),
    ("attention, 12 x 512 x 64", attention(12, 512, 512, 64, True), 1, 2 << 20, False),
    ("attention, 4 x 64 of 4096", attention(4, 64, 4096, 64, False), 1, 2 << 20, False),
    ("attention, 12 x 512 of 16384", attention(12, 512, 16384, 64, False), 1, 0, False),
    ("attention, 1 x 512 of 9000", attention(1, 512, 9000, 64, False), 1, 0, False),
    ("attention, 12 x 1 of 100000", attention(12, 1, 100000, 64, False), 1, 0, False),
    ("convolution, batch norm, residual, relu", residual_block(), 1, 0, True),
    ("joined convolutions", joined_convolutions(), 3, 12 << 10, True),
    ("transposed convolution, relu", transposed_convolution(), 4, 0, True),
    ("embedding, 7 of 37 rows", embedding(37, 5, 7), 1, 0, True),
    ("embedding, 16 of 32000 rows", embedding(32000, 512, 16), 1, 0, False),
    ("three products of one value", projections(), 1, 0, True),
    ("cumulative sum, last axis", cumulative_sum([6, 5, 40], -1), 1, 0, True),
    ("cumulative sum, middle axis", cumulative_sum([6, 40, 5], 1), 1, 0, True),
    ("cumulative sum, exclusive, reverse", cumulative_sum([40, 6, 5], 0, exclusive=1, reverse=1), 1, 0, True),
    ("cumulative sum, 1000 rows in blocks", cumulative_sum([3, 1000], 1, reverse=1), 6, 64 << 10, True),
]


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for name, model, kernels, workspace, small in CASES:
        binary = os.path.join(folder, "model.onnx")
        with open(binary, "wb") as file:
            file.write(command("protoc", "--encode=onnx.ModelProto", "--proto_path=/usr/include/onnx",
                               "onnx.proto", input=model.encode()))
        text = os.path.join(folder, "model.mlir")
        command("tiny-translate", "--import-onnx", binary, "-o", text)
        report = json.loads(command("tiny-opt", "--tiny-report=json", text))
        launches, bytes_used = report["total"]["launches"], report["memory"]["workspace"]
        # A look-up moves elements and does nothing else, but to where data says.
        copies = sum(len(kernel["copies"]) for kernel in report["kernels"]
                     if "gather" not in kernel["name"])
        reads = report["total"]["bytes_read"]
        problem = ""
        if launches > kernels:
            problem = f"more than {kernels} kernels"
        elif bytes_used > workspace:
            problem = f"more than {workspace} bytes of workspace"
        elif copies:
            problem = "a copy"
        elif name.startswith("embedding, 16") and reads != 16 * 512 * 4 + 16 * 4:
            problem = "reads more than 16 rows and their numbers"
        if small and not problem:
            inputs = ["--input", "random:5"]
            if name.startswith("embedding"):
                inputs = ["--input", "x=random:5", "--input", "places=36"]
            checked = command("tiny-run", text, *inputs, "--poison", "--verify-against",
                              "reference").decode()
            if "agrees with the reference" not in checked:
                problem = "disagrees with the reference"
        failed += bool(problem)
        print(f"{name}: {launches} kernels, {bytes_used} bytes of workspace, {copies} copies, "
              f"{reads} bytes read{': FAILED, ' + problem if problem else ''}", flush=True)
    print(f"{len(CASES)} programs, {failed} failed")
    sys.exit(failed != 0)


def command(*words, **options):
    done = subprocess.run(words, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stderr.decode()}")
    return done.stdout


if __name__ == "__main__":
    main()
