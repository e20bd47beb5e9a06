"""The side of ops.py that runs in the environment of the peers: makes the cases, and times one peer.

    ops_side.py list                        the names of the cases
    ops_side.py draw COUNT SEED             names of random ones
    ops_side.py make FOLDER CASE            a folder with the model, its inputs, and expected results
    ops_side.py serve FOLDER PEER THREADS   answers requests from the standard input, one JSON object per line
"""

import ctypes
import functools
import json
import os
import pathlib
import sys
import time

THREADS = sys.argv[4] if sys.argv[1] == "serve" else "1"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = THREADS  # before NumPy and PyTorch read them
# Threads of OpenMP that the system puts on one core wait for each other by spinning: milliseconds for
# what takes microseconds.
os.environ["OMP_PROC_BIND"] = "true"

import numpy  # noqa: E402

import op_cases  # noqa: E402


def folder_of(folder, case):
    return pathlib.Path(folder) / "".join(c if c.isalnum() else "_" for c in case)


def make(folder, name):
    case, place = op_cases.case(name), folder_of(folder, name)
    if not case:
        sys.exit(f"'{name}' is no case")
    place.mkdir()
    (place / "model.onnx").write_bytes(case.model().SerializeToString())
    for i, array in enumerate(case.inputs):
        numpy.save(place / f"x{i}.npy", array)
    numpy.save(place / "expected.npy", case.expected.astype(case.element.result))
    # Rounding what is expected is one more error.
    about = {"atol": case.tolerance, "rtol": 2 * case.element.rounding, "precision": case.element.precision}
    return about | {"folder": str(place), "inputs": len(case.inputs)}


def variants(peer, case, place, inputs):
    """The ways to say `case` to `peer`: functions without arguments that return the result, as in_f64() takes it."""
    if peer == "numpy":
        return [case.peers["numpy"](numpy, *inputs)] if "numpy" in case.peers else []
    if peer == "torch":
        import torch

        torch.set_num_threads(int(THREADS))
        torch.set_grad_enabled(False)
        tensors = [op_cases.in_torch_type(torch, array) for array in inputs]
        return [make(torch, *tensors) for name, make in case.peers.items() if name.startswith("torch")]
    if peer == "onednn":
        library = ctypes.CDLL(str(pathlib.Path(sys.prefix) / "onednn.so"))
        library.onednn_product.restype = library.onednn_convolution.restype = ctypes.c_void_p
        library.onednn_run.restype = ctypes.c_bool
        return [make(library, *inputs) for name, make in case.peers.items() if name.startswith("onednn")]
    names = [f"x{i}" for i in range(len(inputs))]
    if peer == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = int(THREADS), 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(place / "model.onnx"), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        result = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty(case.expected.shape, case.element.result))
        for name, array in zip(names, inputs):
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
        binding.bind_ortvalue_output("y", result)
        return [lambda: (session.run_with_iobinding(binding), result.numpy)[1]]
    import openvino

    core = openvino.Core()
    properties = {"INFERENCE_PRECISION_HINT": case.element.precision, "PERFORMANCE_HINT": "LATENCY"}
    properties["INFERENCE_NUM_THREADS"] = int(THREADS)
    request = core.compile_model(str(place / "model.onnx"), "CPU", properties).create_infer_request()
    for name, array in zip(names, inputs):
        if array.dtype == op_cases.BF16.left:  # which OpenVINO does not know of NumPy's
            tensor = openvino.Tensor(array.view(numpy.uint16), array.shape, openvino.Type.bf16)
        else:
            tensor = openvino.Tensor(array, shared_memory=True)
        request.set_tensor(name, tensor)
    return [lambda: (request.infer(), lambda: request.get_output_tensor().data.view(case.element.result))[1]]


def in_f64(result):
    """An array, a tensor of PyTorch, or a function that returns an array."""
    result = result() if callable(result) else result
    return numpy.asarray(result.double() if hasattr(result, "double") else result, numpy.float64)


def time_one(run, seconds):
    """Milliseconds of each sample, at most `seconds` of them; a sample is as many calls as take 0.2 ms."""
    run()
    start = time.perf_counter()
    run()
    calls = max(1, int(2e-4 / max(time.perf_counter() - start, 1e-7)))
    samples, start = [], time.perf_counter()
    while len(samples) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        for _ in range(calls):
            run()
        samples.append((time.perf_counter() - before) / calls * 1e3)
    return samples


@functools.lru_cache(maxsize=1)
def case_of(name):
    return op_cases.case(name)


def answer(peer, task):
    place = pathlib.Path(task["folder"])
    case = case_of(task["case"])
    allowed = case.tolerance + case.element.rounding * numpy.abs(case.expected)
    best = None
    for run in variants(peer, case, place, case.inputs):
        differences = numpy.abs(in_f64(run()) - case.expected)
        worst = numpy.unravel_index(numpy.argmax(differences - allowed), allowed.shape)
        if not differences[worst] <= allowed[worst]:
            return {"error": f"a result is off by {differences[worst]:.3g}, where {allowed[worst]:.3g} is allowed"}
        samples = sorted(time_one(run, task["seconds"]))
        found = {"min": samples[0], "median": samples[len(samples) // 2]}
        best = found if best is None or found["min"] < best["min"] else best
    return best or {"none": True}


def main():
    if sys.argv[1] == "list":
        return print(json.dumps(list(op_cases.CASES)))
    if sys.argv[1] == "draw":
        return print(json.dumps(op_cases.drawn(*map(int, sys.argv[2:]))))
    if sys.argv[1] == "make":
        return print(json.dumps(make(*sys.argv[2:])))
    peer = sys.argv[3]
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    for line in sys.stdin:
        try:
            reply = answer(peer, json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


main()
