"""A peer's side of models.py: runs in the virtual environment of the peers, a process per round.

Reads one JSON object from its standard input and writes one to its standard output.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
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


# Of the machine the benchmark runs on, as fast as iree-compile knows.
IREE_OPTIONS = [
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-opt-level=O3",
    "--iree-opt-data-tiling",
]
IREE_OPSET = 17  # its importer's patterns are from here on


def compiled_by_iree(task, feeds, version):
    """The compiled model's bytes. Compiling takes up to minutes, so that rounds share it through `task["work"]`."""
    source = pathlib.Path(task["model"])
    kept = pathlib.Path(task["work"]) / f"{source.parent.name}-{version}.vmfb"
    if not kept.is_file():
        tools = pathlib.Path(sys.executable).parent
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            static, mlir, module = (pathlib.Path(folder) / name for name in ("m.onnx", "m.mlir", "m.vmfb"))
            model = onnx.load(source)
            for info in model.graph.input:
                if info.name in feeds:
                    for dim, size in zip(info.type.tensor_type.shape.dim, feeds[info.name].shape):
                        dim.dim_value = size
            # What the file says of other shapes may be open dims, which IREE would believe.
            del model.graph.value_info[:]
            onnx.save(onnx.shape_inference.infer_shapes(model), static)
            opset = max(IREE_OPSET, *(entry.version for entry in model.opset_import if entry.domain == ""), 0)
            for command in (
                [tools / "iree-import-onnx", static, "--opset-version", str(opset), "-o", mlir],
                [tools / "iree-compile", mlir, *IREE_OPTIONS, "-o", module],
            ):
                result = subprocess.run(command, capture_output=True, text=True)
                if result.returncode != 0:
                    reason = [line for line in result.stderr.splitlines() if "error" in line.lower()]
                    sys.exit(f"{command[0].name}: {(reason or result.stderr.splitlines() or ['no reason'])[-1]}")
            module.rename(kept)
    return kept.read_bytes()


def on_iree(task, feeds):
    import importlib.metadata

    import iree.runtime as runtime

    version = importlib.metadata.version("iree-base-runtime")
    runtime.flags.parse_flags(f"--task_topology_group_count={task['threads']}")
    config = runtime.Config("local-task" if task["threads"] > 1 else "local-sync")
    module = runtime.VmModule.copy_buffer(config.vm_instance, compiled_by_iree(task, feeds, version))
    context = runtime.SystemContext(config=config)
    context.add_vm_module(module)
    name = next(name for name in module.function_names if name != "__init" and not name.endswith("$async"))
    function = context.modules[module.name][name]
    arguments = [runtime.asdevicearray(config.device, array) for array in feeds.values()]

    def infer():
        results = function(*arguments)
        for result in results if isinstance(results, tuple) else (results,):
            result.to_host()  # which waits for it; there is no copy that costs, devices and host share memory

    return version, infer


def main():
    task = json.load(sys.stdin)
    dims = inputs_of(task["model"])
    feeds = {name: read_pb(path) for name, path in zip(dims, task["inputs"], strict=True)}
    sides = {"onnxruntime": on_onnxruntime, "openvino": on_openvino, "iree": on_iree}
    version, infer = sides[task["peer"]](task, feeds)

    def run():
        start = time.perf_counter()
        infer()
        return time.perf_counter() - start

    first = run()  # the one that warms up
    once = min(run(), run())
    # Enough runs to fill the time asked for, where the number is not given; a peer that is much slower than the
    # one that gave it does not have to do them all.
    fitting = max(5, min(5000, int(task["seconds"] / once)))
    count = min(task["runs"], 5 * fitting) if task["runs"] else fitting
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
