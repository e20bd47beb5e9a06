#!/usr/bin/env python3
"""fuzz-inputs.py COUNT FOLDER OBJECT...: writes COUNT damaged inputs for sim-fuzz.

The same objects give the same inputs on every machine: what fails in one place fails in the next.
A third of the inputs are code objects with damaged bytes, the others instruction words. Coverage does
not guide these, so the damage is put where it matters: headers, tables, descriptors, and single
words and fields of instructions. `fuzz.sh FUZZER FOLDER SECONDS` is the guided search.
"""
import pathlib
import struct
import sys

MOST_WORDS = 512


class Random:
    """xorshift64*: Python's own generator is not the same in all versions."""

    def __init__(self, seed):
        self.state = seed * 0x9E3779B97F4A7C15 % 2**64 or 1

    def bits(self):
        x = self.state
        x ^= x >> 12
        x = (x ^ (x << 25)) % 2**64
        self.state = x ^ (x >> 27)
        return self.state * 0x2545F4914F6CDD1D % 2**64 >> 16

    def below(self, limit):
        return self.bits() % limit

    def one_of(self, things):
        return things[self.below(len(things))]


class Object:
    """The places of a code object that decide how it is read."""

    def __init__(self, path):
        self.bytes = path.read_bytes()
        headers, = struct.unpack_from("<Q", self.bytes, 32)
        size, count = struct.unpack_from("<HH", self.bytes, 54)
        self.places = [(0, 64), (headers, size * count)]
        self.text = b""
        for number in range(count):
            kind, flags, offset, _, _, length = struct.unpack_from("<IIQQQQ", self.bytes, headers + number * size)
            if kind in (1, 2, 4) and length:  # PT_LOAD, PT_DYNAMIC, PT_NOTE
                self.places.append((offset, length))
            if kind == 1 and flags & 1:
                self.text = self.bytes[offset : offset + length]


def interesting(random, size):
    return random.one_of(
        [0, 1, 2, 7, 8, 64, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, 2**64 - 1, 2**30, 2**30 + 1]
        + [size, size - 1, size + 1, random.bits()]
    )


def damaged_object(random, objects):
    code = random.one_of(objects)
    data = bytearray(code.bytes)
    for _ in range(1 + random.below(6)):
        start, length = random.one_of(code.places) if random.below(8) else (0, len(data))
        at = start + random.below(length)
        if at >= len(data):
            continue
        kind = random.below(6)
        if kind == 0:
            data[at] ^= 1 << random.below(8)
        elif kind == 1:
            data[at] = random.below(256)
        elif kind < 5:  # a field of 4 or 8 bytes, mostly where fields are
            wide = random.below(2)
            at &= ~3 if random.below(4) else ~0
            value = struct.pack("<Q", interesting(random, len(data)) % 2**64)[: 8 if wide else 4]
            data[at : at + len(value)] = value
        else:
            length = 1 + random.below(64)
            source = random.below(len(data))
            data[at : at + length] = data[source : source + length]
    if random.below(16) == 0:
        del data[random.below(len(data)) :]
    return bytes(data)


def damaged_words(random, objects):
    texts = [code.text for code in objects if code.text]
    text = random.one_of(texts)
    count = min(len(text) // 4, MOST_WORDS)
    start = random.below(len(text) // 4 - count + 1)
    words = list(struct.unpack_from(f"<{count}I", text, start * 4))
    for _ in range(1 + random.below(12)):
        at = random.below(len(words))
        kind = random.below(6)
        if kind == 0:
            words[at] ^= 1 << random.below(32)
        elif kind == 1:  # another register or constant in one of the fields of eight bits
            shift = random.one_of([0, 8, 9, 17, 16, 24])
            words[at] = words[at] & ~(0xFF << shift) & 0xFFFFFFFF | random.below(256) << shift & 0xFFFFFFFF
        elif kind == 2:
            words[at] = random.below(2**32)
        elif kind == 3:
            words[at] = interesting(random, 4 * len(words)) % 2**32
        elif kind == 4:
            del words[at]
            if not words:
                words = [0]
        else:  # instructions of another kernel
            other = random.one_of(texts)
            length = 1 + random.below(16)
            source = random.below(max(1, len(other) // 4 - length))
            length = min(length, len(other) // 4 - source)
            words[at:at] = struct.unpack_from(f"<{length}I", other, source * 4)
    return struct.pack(f"<{len(words)}I", *words)


def main():
    count, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    objects = [Object(pathlib.Path(path)) for path in sys.argv[3:]]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        random = Random(number + 1)
        if number % 3 == 0:
            data = bytes([0]) + damaged_object(random, objects)
        else:
            data = bytes([1 + number % 3]) + damaged_words(random, objects)
        (folder / f"{number:05}").write_bytes(data)


if __name__ == "__main__":
    main()
