"""The single ops that ops.py times: an ONNX model, inputs and expected results of each, and how the peers that
take no ONNX say it. Runs in the environment of the peers."""

import ctypes
import dataclasses
import math
import re

import ml_dtypes
import numpy
import onnx
from onnx import helper, numpy_helper

from common import of_processor

OPSET = 22  # the first that has convolutions of bf16
ROUNDING = 2.0**-24  # of f32, relative
ELEMENTS = 1 << 24


@dataclasses.dataclass(frozen=True)
class Element:
    """What the factors of products and their results are made of. Integers are exact. Floats are added up in f32, so
    that each addition rounds by `in_sums`; the sum rounds by `rounding` to its type. Both are relative, half a unit in
    the last place. `precision` is what Tiny and OpenVINO may round factors to."""

    name: str
    left: numpy.dtype
    right: numpy.dtype
    result: numpy.dtype
    in_sums: float = ROUNDING
    rounding: float = ROUNDING
    precision: str = "f32"


F32 = Element("f32", *3 * [numpy.dtype(numpy.float32)])
# Where the CPU does not multiply bf16, only what is read and written is.
FASTEST = "bf16" if "avx512_bf16" in of_processor("flags") else "f32"
BF16 = Element("bf16", *3 * [numpy.dtype(ml_dtypes.bfloat16)], rounding=2.0**-8, precision=FASTEST)
INT8 = Element("int8", *map(numpy.dtype, (numpy.uint8, numpy.int8, numpy.int32)), in_sums=0, rounding=0)


class Case:
    """`nodes` are (operator, inputs, outputs, attributes) from the inputs x0, x1, … to y. `expected` is in f64. Results
    may be off by `tolerance`, and by their own rounding. `numpy` and `torch` are functions of the modules and the inputs
    that return the op to time, a function without arguments; `onednn` is one of the library that onednn.cpp makes."""

    def __init__(self, nodes, inputs, expected, tolerance, peers, constants=(), element=F32):
        self.nodes, self.inputs, self.constants = nodes, inputs, dict(constants)
        self.expected, self.tolerance, self.peers, self.element = expected, tolerance, peers, element

    def model(self):
        def info(name, shape, dtype):
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)

        graph = helper.make_graph(
            [helper.make_node(op, inputs, outputs, **more) for op, inputs, outputs, more in self.nodes],
            "op",
            [info(f"x{i}", array.shape, array.dtype) for i, array in enumerate(self.inputs)],
            [info("y", self.expected.shape, self.element.result)],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model


def random(*shape, seed=1, dtype=F32.result):
    """Floats are uniform in [-1, 1). Integers are what s8 has of their type: PyTorch multiplies no others, and then two
    products of u8 and s8 fit into the 16 bits that CPUs without VNNI add them in."""
    generator = numpy.random.default_rng([seed, *shape])
    if dtype.kind in "iu":
        return generator.integers(numpy.iinfo(dtype).min, 127, shape, dtype, endpoint=True)
    return (generator.random(shape, dtype=numpy.float32) * 2 - 1).astype(dtype, copy=False)


def of_sums(terms, rounding=ROUNDING):
    """How far sums of so many random terms, each up to 1, may be off: a partial sum grows as the root of its terms
    and rounds once for each, either way, so that this is 8 times what is to be expected."""
    return 8 * terms * rounding


def of_function(expected, ulps):
    return ulps * 2 * ROUNDING * float(numpy.abs(expected).max())


def address(array):
    return ctypes.c_void_p(array.ctypes.data)


def in_torch_type(torch, array):
    """A tensor that shares the memory of `array`, whose bf16 PyTorch does not know."""
    if array.dtype == BF16.result:
        return torch.from_numpy(array.view(numpy.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def of_onednn(library, prepared, *arrays):
    """The op to time of what a function of onednn.cpp returned: it works on `arrays`, the last of them the result."""
    if not prepared:
        raise ValueError("oneDNN has no primitive for this")

    def run():
        if not library.onednn_run(ctypes.c_void_p(prepared)):
            raise ValueError("oneDNN failed")
        return arrays[-1]

    return run


def product(batch, rows, columns, depth, transposed=False, element=F32):
    """The right factor is a constant, as the weights of a layer are, but for batches."""
    lead = (batch,) if batch > 1 else ()
    a = random(*lead, rows, depth, dtype=element.left)
    b = random(*lead, depth, columns, seed=2, dtype=element.right)
    given = numpy.ascontiguousarray(numpy.swapaxes(b, -1, -2)) if transposed else b
    nodes, right = [], "x1" if batch > 1 else "b"
    if transposed:
        permutation = [*range(len(lead)), len(lead) + 1, len(lead)]
        nodes.append(("Transpose", [right], ["t"], {"perm": permutation}))
        right = "t"
    nodes.append(("MatMulInteger" if element is INT8 else "MatMul", ["x0", right], ["y"], {}))

    def in_numpy(np, x, w=given):
        out = np.empty((*lead, rows, columns), np.float32)
        other = np.swapaxes(w, -1, -2) if transposed else w
        return lambda: np.matmul(x, other, out=out)

    def in_torch(torch, x, w=None):
        w = in_torch_type(torch, given) if w is None else w
        out = in_torch_type(torch, numpy.empty((*lead, rows, columns), element.result))
        other = w.mT if transposed else w
        if element is INT8:
            x = x.view(torch.int8)
            return lambda: torch._int_mm(x, other, out=out)
        return lambda: torch.matmul(x, other, out=out)

    def in_onednn(library, x, w=given):
        out = numpy.empty((*lead, rows, columns), element.result)
        sizes = element.name.encode(), batch, rows, columns, depth, transposed, batch == 1
        arrays = x, w, out
        return of_onednn(library, library.onednn_product(*sizes, *map(address, arrays)), *arrays)

    peers = {"onednn": in_onednn}
    if element is F32:  # of others NumPy has loops only, which take seconds
        peers["numpy"] = in_numpy
    if element is not INT8 or batch == 1:
        peers["torch"] = in_torch
    return Case(
        nodes,
        [a, given] if batch > 1 else [a],
        a.astype(numpy.float64) @ b.astype(numpy.float64),
        of_sums(depth, element.in_sums),
        peers,
        {} if batch > 1 else {"b": given},
        element,
    )


def chain():
    a, b, c = (random(ELEMENTS, seed=i) for i in range(3))
    nodes = [("Mul", ["x0", "x1"], ["p"], {}), ("Add", ["p", "x2"], ["s"], {}), ("Relu", ["s"], ["y"], {})]
    expected = numpy.maximum(a.astype(numpy.float64) * b + c, 0)

    def in_numpy(np, a, b, c):
        out = np.empty_like(a)
        return lambda: np.maximum(np.add(np.multiply(a, b, out=out), c, out=out), 0, out=out)

    def in_torch(torch, a, b, c):
        out = torch.empty_like(a)
        return lambda: torch.relu_(torch.addcmul(c, a, b, out=out))

    return Case(nodes, [a, b, c], expected, of_function(expected, 2), {"numpy": in_numpy, "torch": in_torch})


def add():
    a, b = (random(ELEMENTS, seed=i) for i in range(2))
    expected = a.astype(numpy.float64) + b

    def in_numpy(np, a, b):
        out = np.empty_like(a)
        return lambda: np.add(a, b, out=out)

    def in_torch(torch, a, b):
        out = torch.empty_like(a)
        return lambda: torch.add(a, b, out=out)

    peers = {"numpy": in_numpy, "torch": in_torch}
    return Case([("Add", ["x0", "x1"], ["y"], {})], [a, b], expected, of_function(expected, 1), peers)


def exp():
    a = random(ELEMENTS)
    expected = numpy.exp(a.astype(numpy.float64))

    def in_numpy(np, a):
        out = np.empty_like(a)
        return lambda: np.exp(a, out=out)

    def in_torch(torch, a):
        out = torch.empty_like(a)
        return lambda: torch.exp(a, out=out)

    peers = {"numpy": in_numpy, "torch": in_torch}
    return Case([("Exp", ["x0"], ["y"], {})], [a], expected, of_function(expected, 2), peers)


def gelu():
    a = random(ELEMENTS)
    wide = a.astype(numpy.float64)
    expected = wide / 2 * (1 + numpy.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))

    def in_numpy(np, a):
        out, f32 = np.empty_like(a), np.float32

        def run():
            np.multiply(a, a, out=out)
            np.multiply(out, f32(0.044715), out=out)
            np.add(out, f32(1), out=out)
            np.multiply(out, a, out=out)
            np.multiply(out, f32(math.sqrt(2 / math.pi)), out=out)
            np.tanh(out, out=out)
            np.add(out, f32(1), out=out)
            np.multiply(out, a, out=out)
            return np.multiply(out, f32(0.5), out=out)

        return run

    def in_torch(torch, a):
        return lambda: torch.nn.functional.gelu(a, approximate="tanh")

    nodes = [("Gelu", ["x0"], ["y"], {"approximate": "tanh"})]
    return Case(nodes, [a], expected, of_function(expected, 8), {"numpy": in_numpy, "torch": in_torch})


def sums(axis):
    a = random(4096, 4096)

    def in_numpy(np, a):
        out = np.empty(4096, np.float32)
        return lambda: np.sum(a, axis=axis, out=out)

    def in_torch(torch, a):
        return lambda: torch.sum(a, axis)

    nodes = [("ReduceSum", ["x0", "axes"], ["y"], {"keepdims": 0})]
    expected = a.sum(axis=axis, dtype=numpy.float64)
    axes = {"axes": numpy.array([axis], numpy.int64)}
    return Case(nodes, [a], expected, of_sums(4096), {"numpy": in_numpy, "torch": in_torch}, axes)


def softmax():
    a = random(4096, 4096)
    powers = numpy.exp(a.astype(numpy.float64))
    expected = powers / powers.sum(axis=1, keepdims=True)

    def in_numpy(np, a):
        out, row = np.empty_like(a), np.empty((4096, 1), np.float32)

        def run():
            np.max(a, axis=1, keepdims=True, out=row)
            np.exp(np.subtract(a, row, out=out), out=out)
            np.sum(out, axis=1, keepdims=True, out=row)
            return np.divide(out, row, out=out)

        return run

    def in_torch(torch, a):
        return lambda: torch.softmax(a, -1)

    # The sum has terms of one sign: its error is that of as many additions, either way.
    tolerance = of_function(expected, 8 + math.sqrt(4096))
    peers = {"numpy": in_numpy, "torch": in_torch}
    return Case([("Softmax", ["x0"], ["y"], {"axis": -1})], [a], expected, tolerance, peers)


def layernorm():
    a, scale, bias = random(4096, 1024), random(1024), random(1024, seed=2)
    wide = a.astype(numpy.float64)
    centred = wide - wide.mean(axis=1, keepdims=True)
    expected = centred / numpy.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * scale + bias

    def in_numpy(np, a):
        out = np.empty_like(a)

        def run():
            np.subtract(a, np.mean(a, axis=1, keepdims=True), out=out)
            deviation = np.sqrt(np.mean(out * out, axis=1, keepdims=True) + np.float32(1e-5))
            np.multiply(out, 1 / deviation, out=out)
            return np.add(np.multiply(out, scale, out=out), bias, out=out)

        return run

    def in_torch(torch, a):
        weights = torch.from_numpy(scale), torch.from_numpy(bias)
        return lambda: torch.nn.functional.layer_norm(a, (1024,), *weights)

    return Case(
        [("LayerNormalization", ["x0", "scale", "bias"], ["y"], {"axis": -1, "epsilon": 1e-5})],
        [a],
        expected,
        of_function(expected, 8 + math.sqrt(1024)),
        {"numpy": in_numpy, "torch": in_torch},
        {"scale": scale, "bias": bias},
    )


def transpose():
    a = random(4096, 4096)

    def in_numpy(np, a):
        out = np.empty_like(a)
        return lambda: (np.copyto(out, a.T), out)[1]

    def in_torch(torch, a):
        out = torch.empty_like(a)
        return lambda: out.copy_(a.T)

    nodes = [("Transpose", ["x0"], ["y"], {"perm": [1, 0]})]
    return Case(nodes, [a], a.T.astype(numpy.float64), 0, {"numpy": in_numpy, "torch": in_torch})


def maxpool():
    a = random(1, 64, 112, 112)
    padded = numpy.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-numpy.inf)
    windows = numpy.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]

    def in_torch(torch, a):
        return lambda: torch.nn.functional.max_pool2d(a, 3, 2, 1)

    nodes = [("MaxPool", ["x0"], ["y"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]})]
    return Case(nodes, [a], windows.max(axis=(4, 5)).astype(numpy.float64), 0, {"torch": in_torch})


def convolution(channels, height, width, features, window, stride=1, groups=1, element=F32):
    """Padded so that stride 1 keeps the size where the window is odd."""
    a = random(1, channels, height, width, dtype=element.left)
    weights = random(features, channels // groups, window, window, seed=2, dtype=element.right)
    bias = random(features, seed=3, dtype=element.result)
    pad = window // 2
    padded = numpy.pad(a.astype(numpy.float64), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = numpy.lib.stride_tricks.sliding_window_view(padded, (window, window), (2, 3))
    windows = windows[0, :, ::stride, ::stride]
    depth = channels // groups
    parts = [
        numpy.einsum(
            "cxykl,fckl->fxy",
            windows[g * depth : (g + 1) * depth],
            weights[g * (features // groups) : (g + 1) * (features // groups)].astype(numpy.float64),
            optimize=True,
        )
        for g in range(groups)
    ]
    expected = (numpy.concatenate(parts) + bias.astype(numpy.float64)[:, None, None])[None]

    def in_torch(torch, a):
        w, b = (in_torch_type(torch, array) for array in (weights, bias))
        return lambda: torch.nn.functional.conv2d(a, w, b, stride, pad, 1, groups)

    def in_torch_by_channels(torch, a):
        w, b = (in_torch_type(torch, array) for array in (weights, bias))
        a, w = (tensor.to(memory_format=torch.channels_last) for tensor in (a, w))
        return lambda: torch.nn.functional.conv2d(a, w, b, stride, pad, 1, groups)

    def in_onednn(by_channels):
        def prepare(library, a):
            out, order = numpy.empty(expected.shape, element.result), (0, 2, 3, 1)
            sizes = element.name.encode(), channels, height, width, features, window, stride, pad, groups, by_channels
            if by_channels:
                a, out = (numpy.ascontiguousarray(array.transpose(order)) for array in (a, out))
            arrays = a, weights, bias, out
            run = of_onednn(library, library.onednn_convolution(*sizes, *map(address, arrays)), *arrays)
            return (lambda: run().transpose(0, 3, 1, 2)) if by_channels else run

        return prepare

    attributes = {"strides": [stride] * 2, "pads": [pad] * 4, "group": groups, "kernel_shape": [window] * 2}
    return Case(
        [("Conv", ["x0", "w", "b"], ["y"], attributes)],
        [a],
        expected,
        of_sums(depth * window * window + 1, element.in_sums),
        {
            "torch": in_torch,
            "torch channels_last": in_torch_by_channels,
            "onednn": in_onednn(False),
            "onednn nhwc": in_onednn(True),
        },
        {"w": weights, "b": bias},
        element,
    )


def attention(causal, heads=12, length=512, width=64):
    q, k, v = (random(1, heads, length, width, seed=i) for i in range(3))
    scores = q.astype(numpy.float64) @ numpy.swapaxes(k, -1, -2) / math.sqrt(width)
    later = numpy.triu(numpy.ones((length, length), bool), 1)
    if causal:
        scores[..., later] = -numpy.inf
    powers = numpy.exp(scores)
    expected = powers / powers.sum(axis=-1, keepdims=True) @ v
    nodes = [
        ("Transpose", ["x1"], ["t"], {"perm": [0, 1, 3, 2]}),
        ("MatMul", ["x0", "t"], ["products"], {}),
        ("Mul", ["products", "scale"], ["scores"], {}),
    ]
    constants = {"scale": numpy.float32(1 / math.sqrt(width)).reshape(1)}
    if causal:
        nodes.append(("Add", ["scores", "mask"], ["masked"], {}))
        constants["mask"] = numpy.where(later, numpy.float32("-inf"), numpy.float32(0))[None, None]
    nodes += [
        ("Softmax", ["masked" if causal else "scores"], ["weights"], {"axis": -1}),
        ("MatMul", ["weights", "x2"], ["y"], {}),
    ]

    def in_torch(torch, q, k, v):
        return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    return Case(nodes, [q, k, v], expected, of_sums(width + length), {"torch": in_torch}, constants)


def parsed(name):
    """Makes the case of a name that says its sizes; None if it does not: products as [batch x] M x N x K, convolutions by
    window, stride, input, output channels and groups; behind them the element, where it is not f32."""
    op, of_element = re.fullmatch(r"(.*?)(?: (bf16|int8))?", name).groups()
    element = {"bf16": BF16, "int8": INT8}.get(of_element, F32)
    if found := re.fullmatch(r"(?:gemm|bmm)(_nt)? (?:(\d+)x)?(\d+)x(\d+)x(\d+)", op):
        return product(int(found[2] or 1), int(found[3]), int(found[4]), int(found[5]), bool(found[1]), element)
    if found := re.fullmatch(r"gemv(_nt)? 1x(\d+)x(\d+)", op):
        return product(1, 1, int(found[2]), int(found[3]), bool(found[1]), element)
    pattern = r"(dw)?conv(\d+)x\2(?:s(\d+))? 1x(\d+)x(\d+)x(\d+)->(\d+)(?: g(\d+))?"
    if element is not INT8 and (found := re.fullmatch(pattern, op)):
        window, stride, channels, height, width, features, groups = (int(size or 1) for size in found.groups()[1:])
        return convolution(channels, height, width, features, window, stride, channels if found[1] else groups, element)
    return None


def drawn(count, seed):
    """Names of random products and convolutions: sizes even in their logarithm, primes among them, of 2^20 flops, below
    which the calls themselves are what is timed, to 2^31."""
    generator = numpy.random.default_rng(seed)

    def size(least, most):
        return int(round(math.exp(generator.uniform(math.log(least), math.log(most)))))

    names = []
    while len(names) < count:
        kind = generator.integers(4)
        if kind < 2:
            m, n, k = size(1, 1024), size(1, 2048), size(1, 2048)
            flops, name = 2 * m * n * k, f"gemm{'_nt' if kind else ''} {m}x{n}x{k}"
        else:
            channels, features, height, width = size(1, 512), size(1, 512), size(5, 224), size(5, 224)
            window, stride = int(generator.choice([1, 3, 3, 5, 7])), int(generator.choice([1, 1, 2]))
            shape = f"{window}x{window}{'s2' if stride == 2 else ''} 1x{channels}x{height}x{width}"
            pixels = -(-height // stride) * -(-width // stride)
            if generator.integers(4):
                flops, name = 2 * channels * features * pixels * window**2, f"conv{shape}->{features}"
            else:
                flops, name = 2 * channels * pixels * window**2, f"dwconv{shape}->{channels}"
        if 2**20 <= flops <= 2**31 and name not in names:
            names.append(name)
    return names


SIZED = [
    *(f"gemm {sizes}" for sizes in ("64x64x64", "128x128x128", "256x256x256", "32x1024x1024", "512x512x512")),
    *(f"gemm {sizes}" for sizes in ("1024x1024x1024", "128x4096x4096", "2048x2048x2048")),
    "gemm_nt 128x4096x4096",
    "bmm 12x128x128x64",
    "bmm_nt 12x128x128x64",
    *(f"{name} 1x{columns}x4096" for columns in (4096, 11008) for name in ("gemv", "gemv_nt")),
    "conv3x3 1x64x56x56->64",
    "conv7x7s2 1x3x224x224->64",
    "dwconv3x3 1x96x56x56->96",
    "conv1x1 1x64x56x56->256",
]
NARROW = [
    *(f"{name} bf16" for name in SIZED if "_nt" not in name),
    *(f"{name} int8" for name in SIZED if re.match("(gemm|bmm|gemv) ", name)),
]
CASES = {
    **{name: (lambda name=name: parsed(name)) for name in SIZED},
    "chain 16M": chain,
    "add 16M": add,
    "exp 16M": exp,
    "gelu 16M": gelu,
    "sum_last 4096x4096": lambda: sums(1),
    "sum_first 4096x4096": lambda: sums(0),
    "softmax 4096x4096": softmax,
    "layernorm 4096x1024": layernorm,
    "transpose 4096x4096": transpose,
    "maxpool3x3s2 1x64x112x112": maxpool,
    "attention 12x512x64": lambda: attention(False),
    "attention_causal 12x512x64": lambda: attention(True),
    **{name: (lambda name=name: parsed(name)) for name in NARROW},
}


def case(name):
    return CASES[name]() if name in CASES else parsed(name)
