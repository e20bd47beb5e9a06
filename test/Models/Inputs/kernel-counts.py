"""Schedules shared models and holds them to how many kernels they may take, to an arena of at most
1.1 times what is alive at once, and to no copy that is not said to have a reason.

usage: kernel-counts.py SHARED-MODELS-FOLDER
"""
import json
import os
import subprocess
import sys

# Per model: options, kernels at most, and kernels that only move data. The limits of those with
# convolutions are one for each and five more (squeezenet: six); of the decoder nine for each of its
# five layers and four more. What is moved: edges that are repeated around an image before it is
# enlarged (mlsd, ppocrv4-det), and reflections (style-candy, silero).
MODELS = [
    ("mnist-cntk", [], 4, 0),
    ("iris-mlp", [], 1, 0),
    ("cifar10-cnn", [], 7, 0),
    ("squeezenet-fp16", [], 26 + 6, 0),
    ("mobilenetv2-fp32", [], 53 + 5, 0),
    ("mobilenetv2-uint8", [], 53 + 5, 0),
    ("mobilenetv1-025-fp32", [], 28 + 5, 0),
    ("mlperf-ic-resnet8-fp32", [], 9 + 5, 0),
    ("mlperf-ic-resnet8-int8", [], 9 + 5, 0),
    ("mlperf-kws-dscnn-hybrid", [], 9 + 5, 0),
    ("mlperf-kws-dscnn-int8", [], 9 + 5, 0),
    ("mlperf-ad-autoencoder-fp32", [], 10, 0),
    ("mlperf-ad-autoencoder-int8", [], 10, 0),
    ("ultraface-rfb-320", [], 52 + 5, 0),
    ("super-resolution-x3", ["H=64", "W=96"], 4, 0),
    ("style-candy", ["H=128", "W=128"], 32, 2),
    ("blazeface-front-128", [], 45, 0),
    ("mlsd-tiny-320", [], 60, 7),
    ("oww-embedding", [], 30, 0),
    ("ppocrv4-det", ["p2o.DynamicDimension.1=256", "p2o.DynamicDimension.2=256"], 70, 1),
    ("stories260K", ["past=16", "seq=1"], 5 * 9 + 4, 1),
]


def run(command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.decode()}")
    return done.stdout


failed = 0
for name, dims, limit, moves in MODELS:
    model = os.path.join(sys.argv[1], name, "model.onnx")
    options = [word for dim in dims for word in ("--dim", dim)]
    program = run(["tiny-translate", "--import-onnx", "--emit-bytecode", *options, model])
    report = json.loads(run(["tiny-opt", "--tiny-report=json"], input=program))
    launches, memory = report["total"]["launches"], report["memory"]
    arena, bound = memory["workspace"], memory["workspace_lower_bound"]
    copies = [(kernel["name"], copy) for kernel in report["kernels"] for copy in kernel["copies"]]
    problems = []
    if launches > limit:
        problems.append(f"more than {limit} kernels")
    if arena > 1.1 * bound:
        problems.append(f"an arena of more than 1.1 times {bound} bytes")
    if len({kernel for kernel, _ in copies}) > moves:
        problems.append(f"more than {moves} kernels that only move data")
    if any(not copy["reason"] for _, copy in copies):
        problems.append("a copy without a reason")
    print(f"{name}: {launches} kernels, arena {arena} of at least {bound} bytes, {len(copies)} copies"
          + "".join(f": FAILED, {problem}" for problem in problems), flush=True)
    for kernel, copy in copies:
        print(f"  {kernel}: {copy['reason']}")
    failed += bool(problems)
print(f"{len(MODELS)} models, {failed} failed")
sys.exit(failed != 0)
