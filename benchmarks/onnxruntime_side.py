"""ONNX Runtime's side of models.py: runs in a virtual environment of its own, a process per round.

Reads one JSON object from its standard input and writes one to its standard output.
"""

import json
import sys
import time

import numpy
import onnx
import onnxruntime


def read_pb(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return numpy.ascontiguousarray(onnx.numpy_helper.to_array(tensor))


def main():
    task = json.load(sys.stdin)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(task["model"], options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    feeds = {info.name: read_pb(path) for info, path in zip(inputs, task["inputs"], strict=True)}

    def run():
        start = time.perf_counter()
        session.run(None, feeds)
        return time.perf_counter() - start

    first = run()  # the one that warms up
    once = min(run(), run())
    # Enough runs to fill the time asked for, where the number is not given.
    count = task["runs"] or max(5, min(5000, int(task["seconds"] / once)))
    times = [run() for _ in range(count)]
    open_dims = [
        f"{info.name}[{place}]={feeds[info.name].shape[place]}"
        for info in inputs
        for place, size in enumerate(info.shape)
        if not isinstance(size, int)
    ]
    json.dump(
        {
            "version": onnxruntime.__version__,
            "open_dims": open_dims,
            "first_ms": first * 1e3,
            "ms": [time * 1e3 for time in times],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
