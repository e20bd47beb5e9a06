"""Bad ONNX models and tensor files, byte by byte: no library would write most of them."""

import struct

# --- protobuf ---------------------------------------------------------------


def varint(number):
    number &= (1 << 64) - 1
    data = b""
    while number >= 128:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def field(number, value):
    """A field of a message: an integer, or text, or bytes (a message is bytes)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    """Fields as (number, value), values that are lists repeated."""
    data = b""
    for number, value in fields:
        for one in value if isinstance(value, list) else [value]:
            data += field(number, one)
    return data


# --- onnx -------------------------------------------------------------------

FLOAT, INT64, STRING, FLOAT16 = 1, 7, 8, 10


def value(name, shape, element=FLOAT):
    """A ValueInfoProto; a dim is a number, a name, or None."""
    dims = []
    for dim in shape or []:
        if dim is None:
            dims.append(b"")
        else:
            dims.append(message((1 if isinstance(dim, int) else 2, dim)))
    tensor = [(1, element)]
    if shape is not None:
        tensor.append((2, message((1, dims))))
    return message((1, name), (2, message((1, message(*tensor)))))


def node(op, inputs, outputs, name="", domain="", attributes=()):
    return message((1, list(inputs)), (2, list(outputs)), (3, name), (4, op), (7, domain),
                   (5, list(attributes)))


def ints(name, numbers):
    return message((1, name), (8, list(numbers)), (20, 7))


def tensor(name, dims, element, raw, extra=b""):
    return message((1, list(dims)), (2, element), (8, name), (9, raw)) + extra


def graph(nodes, inputs, outputs, initializers=()):
    return message((1, list(nodes)), (2, "graph"), (5, list(initializers)), (11, list(inputs)),
                   (12, list(outputs)))


def model(graph_bytes, opset=13, ir=8, domain=""):
    opsets = [] if opset is None else [message((1, domain), (2, opset))]
    fields = [(1, ir), (8, opsets)]
    if graph_bytes is not None:
        fields.append((7, graph_bytes))
    return message(*fields)


def one_node(op, inputs=("x",), shape=(1, 4), more=(), initializers=(), **options):
    """A model of a single node from `x` to `y`."""
    ports = [value("x", list(shape))] + list(more)
    made = node(op, inputs, ["y"], "the_node", options.get("domain", ""),
                options.get("attributes", ()))
    return model(graph([made], ports, [value("y", None)], initializers))


def models():
    """(name, bytes, arguments, a phrase of the error)."""
    good = one_node("Relu")
    yield "empty", b"", [], ""
    yield "text", b"this is no model\n" * 9, [], ""
    yield "noise", bytes((i * 37 + 11) % 256 for i in range(500)), [], ""
    yield "cut-in-half", good[: len(good) // 2], [], ""
    yield "cut-at-the-end", good[:-1], [], ""
    yield "no-graph", model(None), [], ""
    yield "no-opset", model(graph([node("Relu", ["x"], ["y"])], [value("x", [1])],
                                  [value("y", None)]), None), [], "opset"
    yield "unknown-ops", model(graph([node("Frob", ["x"], ["a"], "first"),
                                      node("Nicate", ["a"], ["y"], "second")],
                                     [value("x", [1])], [value("y", None)])), [], "Nicate"
    yield "unknown-domain", one_node("Relu", domain="com.example"), [], "com.example"
    yield "undefined-input", one_node("Add", ["x", "nowhere"]), [], "nowhere"
    yield "undefined-output", model(graph([node("Relu", ["x"], ["z"])], [value("x", [1])],
                                          [value("y", None)])), [], "y"
    yield "cycle", model(graph([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])],
                               [value("x", [1])], [value("b", None)])), [], "b"
    yield "too-few-operands", one_node("Add", ["x"]), [], "Add"
    yield "shapes-do-not-fit", one_node("Add", ["x", "z"], more=[value("z", [3])]), [], "Add"
    yield "matmul-sizes", one_node("MatMul", ["x", "z"], more=[value("z", [5, 2])]), [], "MatMul"
    yield "matmul-of-integers", one_node(
        "MatMulInteger", ["x", "z"], more=[value("z", [4, 2])]), [], "8-bit integers"
    yield "types-do-not-fit", one_node("Add", ["x", "z"], more=[value("z", [4], INT64)]), [], "Add"
    yield "string-input", model(graph([node("Identity", ["x"], ["y"])],
                                      [value("x", [1], STRING)], [value("y", None)])), [], "x"
    yield "unknown-element", model(graph([node("Identity", ["x"], ["y"])],
                                         [value("x", [1], 99)], [value("y", None)])), [], "x"
    yield "no-shape", model(graph([node("Relu", ["x"], ["y"])], [value("x", None)],
                                  [value("y", None)])), [], "x"
    yield "negative-dim", one_node("Relu", shape=(-3,)), [], ""
    yield "weights-too-short", one_node(
        "Add", ["x", "w"], initializers=[tensor("w", [4], FLOAT, bytes(12))]), [], "w"
    yield "weights-elsewhere", one_node(
        "Add", ["x", "w"],
        initializers=[tensor("w", [4], FLOAT, b"",
                             field(13, message((1, "location"), (2, "gone.bin"))) + field(14, 1))
                      ]), [], "gone.bin"
    yield "weights-huge", one_node(
        "Add", ["x", "w"], initializers=[tensor("w", [1 << 40, 1 << 40], FLOAT, bytes(4))]), [], "w"
    yield "weights-of-strings", one_node(
        "Add", ["x", "w"],
        initializers=[message((1, [1]), (2, STRING), (8, "w"), (6, "text"))]), [], "w"
    yield "permutation", one_node("Transpose", attributes=[ints("perm", [0, 0])]), [], "Transpose"
    yield "axis-out-of-range", one_node(
        "Concat", ["x", "x"], attributes=[message((1, "axis"), (3, 7), (20, 2))]), [], "Concat"
    yield "reshape-count", one_node(
        "Reshape", ["x", "s"],
        initializers=[tensor("s", [1], INT64, struct.pack("<q", 5))]), [], "Reshape"
    yield "reshape-by-data", one_node(
        "Reshape", ["x", "s"], more=[value("s", [1], INT64)]), [], "Reshape"
    yield "convolution-channels", one_node(
        "Conv", ["x", "w"], shape=(1, 3, 8, 8),
        initializers=[tensor("w", [2, 4, 3, 3], FLOAT, bytes(288))]), [], "Conv"
    yield "convolution-too-small", one_node(
        "Conv", ["x", "w"], shape=(1, 3, 2, 2),
        initializers=[tensor("w", [2, 3, 3, 3], FLOAT, bytes(216))]), [], "Conv"
    yield "attribute-of-wrong-type", one_node(
        "Transpose", attributes=[message((1, "perm"), (4, "01"), (20, 3))]), [], "perm"
    yield "unknown-dim", good, ["--dim", "batch=3"], "batch"


# --- tensors ----------------------------------------------------------------


def npy(descr, shape, data, fortran=False):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': %r, }" % (descr, fortran, tuple(shape))
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def tensors():
    """(file name, bytes, a phrase of the error), where tensor<2x3xf32> is needed."""
    good = npy("<f4", (2, 3), bytes(24))
    proto = message((1, [2, 3]), (2, FLOAT), (9, bytes(24)))
    yield "empty.npy", b"", "not a .npy file"
    yield "text.npy", b"1 2 3\n4 5 6\n", "not a .npy file"
    yield "cut-in-header.npy", good[:40], "it ends in the header"
    yield "cut-in-data.npy", good[:-5], "needs 24 bytes of data, and there are 19"
    yield "too-long.npy", good + b"x", "and there are 25"
    yield "future.npy", good[:6] + b"\x09" + good[7:], "format version 9"
    yield "objects.npy", npy("|O", (2, 3), b"cos\nsystem\n."), "'|O'"
    yield "complex.npy", npy("<c8", (2, 3), bytes(48)), "'<c8'"
    yield "header.npy", good.replace(b"shape", b"shale"), "malformed .npy header"
    yield "huge.npy", npy("<f4", (1 << 40, 1 << 40), b""), "larger than any memory"
    yield "wrong-shape.npy", npy("<f4", (3, 2), bytes(24)), "has type tensor<3x2xf32>"
    yield "wrong-type.npy", npy("<f8", (2, 3), bytes(48)), "has type tensor<2x3xf64>"
    yield "empty.pb", b"", "it has no data type"
    yield "text.pb", b"1 2 3\n4 5 6\n", "not an ONNX TensorProto"
    yield "cut.pb", proto[:-5], "no field can be read at byte 6"
    yield "short.pb", message((1, [2, 3]), (2, FLOAT), (9, bytes(20))), "and there are 20"
    yield "strings.pb", message((1, [2, 3]), (2, STRING), (6, ["a"] * 6)), "data type 8"
    yield "wrong-shape.pb", message((1, [6]), (2, FLOAT), (9, bytes(24))), "has type tensor<6xf32>"
    yield "negative.pb", message((1, [-2, 3]), (2, FLOAT), (9, bytes(24))), "is negative"
