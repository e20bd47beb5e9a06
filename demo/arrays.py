"""Reads and writes the two array formats of the demo with the standard library alone.

NPY is what tiny-run takes and gives; IDX is what the MNIST digits come in. A machine that has just
built Tiny has no NumPy, so the scripts that run there share these few functions instead.
"""

import array
import ast
import gzip
import math
import struct
import sys
import zlib

_NPY_MAGIC = b"\x93NUMPY"


def write_npy(path, shape, values):
    """Writes `values` (an iterable of floats, row-major) as a float32 NPY file, version 1.0."""
    data = array.array("f", values)
    if len(data) != math.prod(shape):
        raise ValueError(f"{path}: shape {tuple(shape)} needs {math.prod(shape)} values, not {len(data)}")
    if sys.byteorder == "big":
        data.byteswap()
    header = repr({"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})
    # The format wants the data on a 64-byte boundary: magic, version and length take 10 bytes, the
    # header is filled up with spaces and ends with a newline.
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(_NPY_MAGIC + b"\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii"))
        file.write(data.tobytes())


def read_npy(path):
    """Returns (shape, array of floats) of a float32 NPY file in row-major order."""
    with open(path, "rb") as file:
        content = file.read()
    if content[:6] != _NPY_MAGIC or len(content) < 12:
        raise ValueError(f"{path} is not an NPY file")
    # Version 1 has a 16-bit header length, versions 2 and 3 a 32-bit one.
    start, length_format = (10, "<H") if content[6] == 1 else (12, "<I")
    (length,) = struct.unpack(length_format, content[8:start])
    header = ast.literal_eval(content[start : start + length].decode("utf-8"))
    if header["descr"] != "<f4" or header["fortran_order"]:
        raise ValueError(f"{path} must hold little-endian float32 in row-major order, not {header}")
    data = array.array("f", content[start + length :])
    if sys.byteorder == "big":
        data.byteswap()
    if len(data) != math.prod(header["shape"]):
        raise ValueError(f"{path} has {len(data)} values where shape {header['shape']} needs another number")
    return header["shape"], data


def read_idx(path):
    """Returns (shape, bytes) of a gzipped IDX file of unsigned bytes."""
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except (EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    # Two zero bytes, the element type (8 is unsigned byte), the rank, then big-endian dimensions.
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    rank = content[3]
    shape = struct.unpack_from(f">{rank}I", content, 4)
    data = content[4 + 4 * rank :]
    if len(data) != math.prod(shape):
        raise ValueError(f"{path} has {len(data)} values where shape {shape} needs {math.prod(shape)}")
    return shape, data


def read_mnist(folder):
    """Returns (images, labels) of the one image file and the one label file in `folder`.

    `images` is bytes of 784 per digit, `labels` one byte each.
    """

    def only(pattern):
        found = sorted(folder.glob(pattern))
        if len(found) != 1:
            raise ValueError(f"{folder} must hold one file {pattern}, not {len(found)}")
        return found[0]

    image_shape, images = read_idx(only("*images-idx3-ubyte.gz"))
    label_shape, labels = read_idx(only("*labels-idx1-ubyte.gz"))
    if not labels or len(label_shape) != 1 or image_shape != (len(labels), 28, 28):
        raise ValueError(f"{folder} has images of shape {image_shape} and labels of shape {label_shape}")
    return images, labels
