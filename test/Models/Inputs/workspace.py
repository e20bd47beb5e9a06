#!/usr/bin/env python3
"""Fails unless the workspace of a program is no larger than some f32 tensors together.

    tiny-run model.onnx --report=json | workspace.py 8x28x28 8x14x14
"""

import json
import math
import sys

ALIGNMENT = 64

program = json.load(sys.stdin)
limit = 0
for tensor in sys.argv[1:]:
    bytes_of_tensor = 4 * math.prod(int(size) for size in tensor.split("x"))
    limit += -(-bytes_of_tensor // ALIGNMENT) * ALIGNMENT
used = program["memory"]["workspace"]
print(f"workspace of {used} bytes, {limit} allowed")
if used > limit:
    sys.exit("workspace: more than " + " + ".join(sys.argv[1:]))
