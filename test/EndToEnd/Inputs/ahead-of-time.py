#!/usr/bin/env python3
"""Runs models as tiny-run does and as a shared library, and compares the results bit by bit.

usage: ahead-of-time.py FOLDER NAME=MODEL [tiny-run options] [-- NAME=MODEL ...]

All that it knows about a library is the header, so that a wrong one shows. Inputs are random
numbers that suit most models: floats in [-1, 1), whole numbers from 0 to 3. Each library runs
without threads, with threads of Python in a random order, and twice at the same time.
"""
import ctypes
import os
import random
import re
import struct
import subprocess
import sys
import threading

# How numpy names an element, and how many bytes it has. bf16 has no name there.
NPY = {"f64": "<f8", "f32": "<f4", "f16": "<f2", "bf16": "<V2", "i1": "|b1", "i8": "|i1", "i16": "<i2",
       "i32": "<i4", "i64": "<i8", "ui8": "|u1", "ui16": "<u2", "ui32": "<u4", "ui64": "<u8"}

BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64)
FOR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, BODY, ctypes.c_void_p)


class Threads(ctypes.Structure):
    _fields_ = [("parallel_for", FOR), ("pool", ctypes.c_void_p)]


class Header:
    """The macros of a header."""

    def __init__(self, path, prefix):
        with open(path) as file:
            text = file.read()
        self.macros = dict(re.findall(r"#define %s_(\w+) (.*)" % prefix.upper(), text))

    def number(self, name):
        return int(self.macros[name])

    def tensors(self, kind):
        for i in range(self.number("NUM_%sS" % kind)):
            macro = "%s_%d_" % (kind, i)
            shape = self.macros.get(macro + "SHAPE", "{}").strip("{}")
            yield {
                "element": self.macros[macro + "ELEMENT"].strip('"'),
                "shape": [int(size) for size in shape.split(",") if size],
                "count": self.number(macro + "COUNT"),
                "bytes": self.number(macro + "BYTES"),
            }


def random_bytes(tensor, generator):
    if not tensor["count"]:
        return b""
    kind, size = NPY[tensor["element"]][1], tensor["bytes"] // max(tensor["count"], 1)
    if kind == "V":  # the high half of an f32
        numbers = (struct.pack("<f", generator.uniform(-1, 1))[2:] for _ in range(tensor["count"]))
    elif kind == "f":
        code = {8: "<d", 4: "<f", 2: "<e"}[size]
        numbers = (struct.pack(code, generator.uniform(-1, 1)) for _ in range(tensor["count"]))
    else:
        most = 1 if kind == "b" else 3
        numbers = (generator.randint(0, most).to_bytes(size, "little") for _ in range(tensor["count"]))
    return b"".join(numbers)


def write_npy(path, tensor, data):
    shape = "(%s)" % "".join("%d, " % size for size in tensor["shape"])
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (NPY[tensor["element"]], shape)
    text += " " * (-(len(text) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


def read_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    return data[10 + struct.unpack_from("<H", data, 8)[0]:]


class Memory:
    """Bytes at a multiple of the alignment, with a pattern before, behind and inside."""

    def __init__(self, size, alignment, data=None):
        self.block = ctypes.create_string_buffer(size + 3 * alignment)
        start = ctypes.addressof(self.block)
        self.address = (start + 2 * alignment - 1) // alignment * alignment
        self.size = size
        ctypes.memset(start, 0xA5, len(self.block))
        if data is not None:
            ctypes.memmove(self.address, data, size)

    def data(self):
        return ctypes.string_at(self.address, self.size)

    def is_intact_around(self):
        before = self.address - ctypes.addressof(self.block)
        rest = self.block.raw[:before] + self.block.raw[before + self.size:]
        return rest == b"\xa5" * len(rest)


def parallel_for(pool, count, body, context):
    """Uneven shares in a random order, on four threads."""
    cuts = sorted(random.randint(0, count) for _ in range(5))
    shares = list(zip([0] + cuts, cuts + [count]))
    random.shuffle(shares)
    threads = [
        threading.Thread(target=lambda part: [body(context, *share) for share in part], args=(shares[i::4],))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def call(run, header, inputs, threads):
    """The bytes of all outputs."""
    alignment = header.number("ALIGNMENT")
    ins = [Memory(len(data), alignment, data) for data in inputs]
    outs = [Memory(tensor["bytes"], alignment) for tensor in header.tensors("OUTPUT")]
    workspace = Memory(header.number("WORKSPACE_BYTES"), alignment)
    addresses = lambda list: (ctypes.c_void_p * max(len(list), 1))(*[memory.address for memory in list])
    status = run(addresses(ins), addresses(outs), ctypes.c_void_p(workspace.address), threads)
    assert status == 0, "status %d" % status
    assert all(memory.is_intact_around() for memory in ins + outs + [workspace]), "wrote somewhere else"
    assert [memory.data() for memory in ins] == inputs, "wrote to an input"
    return [memory.data() for memory in outs]


def check_pointers(run, header):
    """Wrong addresses are found before anything happens."""
    names = [("INPUT", tensor) for tensor in header.tensors("INPUT")]
    names += [("OUTPUT", tensor) for tensor in header.tensors("OUTPUT")]
    for wrong, status in ((None, 1), (4, 2)):
        for i, (_, tensor) in enumerate(names):
            pointers = [64] * len(names)  # never looked at
            pointers[i] = wrong
            count = header.number("NUM_INPUTS")
            ins = (ctypes.c_void_p * max(count, 1))(*pointers[:count])
            outs = (ctypes.c_void_p * max(len(names) - count, 1))(*pointers[count:])
            if tensor["bytes"]:
                got = run(ins, outs, ctypes.c_void_p(64), None)
                assert got == status, "status %d for %s %d" % (got, names[i][0], i)


def test(folder, name, model, options):
    folder = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    library, path = os.path.join(folder, "lib.so"), os.path.join(folder, "m.h")
    subprocess.run(["tiny-run", model, "--emit", "shared", "-o", library, "--header", path] + options, check=True)
    header = Header(path, "m")
    run = ctypes.CDLL(library).m_run

    generator = random.Random(1)
    inputs = [random_bytes(tensor, generator) for tensor in header.tensors("INPUT")]
    command = ["tiny-run", model] + options
    for i, tensor in enumerate(header.tensors("INPUT")):
        file = os.path.join(folder, "in%d.npy" % i)
        write_npy(file, tensor, inputs[i])
        command += ["--input", "%d=@%s" % (i, file)]
    outputs = [os.path.join(folder, "out%d.npy" % i) for i in range(header.number("NUM_OUTPUTS"))]
    for i, file in enumerate(outputs):
        command += ["--output", "%d=@%s" % (i, file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    want = [read_npy(file) for file in outputs]
    assert any(len(set(data)) > 2 for data in want), "the results say nothing"

    check_pointers(run, header)
    pool = ctypes.pointer(Threads(FOR(parallel_for), None))
    assert call(run, header, inputs, None) == want, "differs without threads"
    assert call(run, header, inputs, pool) == want, "differs with threads"
    got = [None, None]

    def one(i):
        got[i] = call(run, header, inputs, None)

    both = [threading.Thread(target=one, args=(i,)) for i in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert got == [want, want], "differs where two calls run at the same time"
    print("%s: %d results are the same" % (name, len(want)))


def main():
    folder, rest = sys.argv[1], sys.argv[2:]
    while rest:
        end = rest.index("--") if "--" in rest else len(rest)
        name, _, model = rest[0].partition("=")
        test(folder, name, model, rest[1:end])
        rest = rest[end + 1:]


if __name__ == "__main__":
    main()
