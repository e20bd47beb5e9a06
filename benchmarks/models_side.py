"""A peer's side of models.py: runs in the virtual environment of the peers, a process per round.

Reads one JSON object from its standard input and writes one to its standard output.
"""

import json
import sys
import time

import numpy
import onnx


def read_pb(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return numpy.array(onnx.numpy_helper.to_array(tensor), order="C")  # a copy, which OpenVINO may write to


def inputs_of(model):
    """Names and dims, None where a dim is open. Old models list their weights too."""
    graph = onnx.load(model, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        info.name: [dim.dim_value if dim.HasField("dim_value") else None for dim in info.type.tensor_type.shape.dim]
        for info in graph.input
        if info.name not in weights
    }


def on_onnxruntime(task, feeds):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(task["model"], options, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, lambda: session.run(None, feeds)


def on_openvino(task, feeds):
    import openvino

    core = openvino.Core()
    model = core.read_model(task["model"])
    model.reshape({name: array.shape for name, array in feeds.items()})
    properties = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": task["threads"],
    }
    request = core.compile_model(model, "CPU", properties).create_infer_request()
    for name, array in feeds.items():
        request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
    return openvino.__version__.split("-")[0], request.infer


def main():
    task = json.load(sys.stdin)
    dims = inputs_of(task["model"])
    feeds = {name: read_pb(path) for name, path in zip(dims, task["inputs"], strict=True)}
    version, infer = {"onnxruntime": on_onnxruntime, "openvino": on_openvino}[task["peer"]](task, feeds)

    def run():
        start = time.perf_counter()
        infer()
        return time.perf_counter() - start

    first = run()  # the one that warms up
    once = min(run(), run())
    # Enough runs to fill the time asked for, where the number is not given.
    count = task["runs"] or max(5, min(5000, int(task["seconds"] / once)))
    times = [run() for _ in range(count)]
    open_dims = [
        f"{name}[{place}]={feeds[name].shape[place]}"
        for name, sizes in dims.items()
        for place, size in enumerate(sizes)
        if size is None
    ]
    json.dump(
        {
            "version": version,
            "open_dims": open_dims,
            "first_ms": first * 1e3,
            "ms": [time * 1e3 for time in times],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
