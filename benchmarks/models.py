#!/usr/bin/env python3
"""Times models on Tiny and on ONNX Runtime, side by side on this machine.

    python3 benchmarks/models.py --tiny-run build/release/bin/tiny-run

benchmarks/README.md says what is measured. Needs Python's standard library; ONNX Runtime goes into a
virtual environment under build/, made at the first run.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "bench-venv"
PACKAGES = ["onnxruntime==1.31.*", "onnx", "numpy"]
DEFAULT_MODELS = [
    "mnist-cntk",
    "cifar10-cnn",
    "iris-mlp",
    "squeezenet-fp16",
    "mobilenetv2-fp32",
    "mobilenetv1-025-fp32",
    "mlperf-ic-resnet8-fp32",
    "mlperf-ad-autoencoder-fp32",
    "mlperf-kws-dscnn-hybrid",
    "ultraface-rfb-320",
    "oww-embedding",
    "super-resolution-x3",
    "style-candy",
]
# A fast wrong answer is no result. The tests under test/Models are stricter.
MAX_TOL = "1e-3"


class Failure(Exception):
    """Something the user must hear about, as one plain sentence."""


def prepare_environment():
    """Returns the Python of the virtual environment that has PACKAGES."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "packages.txt"
    if not done.exists() or done.read_text().split() != PACKAGES:
        print(f"installing {', '.join(PACKAGES)} into {ENVIRONMENT} ...", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "--quiet", *PACKAGES]
        if subprocess.run(command).returncode != 0:
            raise Failure("pip could not install ONNX Runtime; its reason is above")
        done.write_text("\n".join(PACKAGES))
    return python


def processor():
    try:
        names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        names = []
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def vector(folder):
    """The files of the first test vector: inputs, expected outputs."""

    def files(kind):
        found = (folder / "test_data_set_0").glob(f"{kind}_*.pb")
        return [str(path) for path in sorted(found, key=lambda path: int(path.stem.split("_")[1]))]

    if not (folder / "model.onnx").is_file() or not files("input"):
        raise Failure(f"{folder} holds no model.onnx with a test_data_set_0")
    return files("input"), files("output")


def time_onnxruntime(python, folder, options, runs):
    task = {
        "model": str(folder / "model.onnx"),
        "inputs": vector(folder)[0],
        "threads": options.threads,
        "seconds": options.seconds,
        "runs": runs,
    }
    script = pathlib.Path(__file__).with_name("onnxruntime_side.py")
    result = subprocess.run([python, script], input=json.dumps(task), capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"ONNX Runtime fails on {folder.name}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def time_tiny(folder, options, runs, open_dims):
    """Returns the least and the median time in milliseconds, of `runs` runs after the one that is checked."""
    inputs, outputs = vector(folder)
    command = [options.tiny_run, folder / "model.onnx", "--threads", options.threads, "--bench", runs]
    command += ["--max-tol", MAX_TOL]
    for flag, values in (("--dim", open_dims), ("--input", inputs), ("--expect", outputs)):
        for value in values:
            command += [flag, value if flag == "--dim" else f"@{value}"]
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"cannot start {options.tiny_run}: {error.strerror}; is Tiny built?") from error
    if result.returncode != 0:
        raise Failure(f"tiny-run fails on {folder.name}: {result.stderr.strip() or result.stdout.strip()}")
    found = re.search(r"^bench: min ([\d.]+) ms, median ([\d.]+) ms", result.stdout, re.M)
    if not found:
        raise Failure("tiny-run printed no line 'bench: min ... ms, median ... ms'")
    return float(found[1]), float(found[2])


def measure(python, folder, options):
    """Interleaves the two, so that what else the machine does hits both."""
    tiny, ort, runs = [], [], None
    for _ in range(options.rounds):
        answer = time_onnxruntime(python, folder, options, runs)
        runs = len(answer["ms"])
        ort.append((min(answer["ms"]), statistics.median(answer["ms"])))
        tiny.append(time_tiny(folder, options, runs, answer["open_dims"]))

    def best(rounds):
        return {"min": min(least for least, _ in rounds), "median": statistics.median(m for _, m in rounds)}

    result = {"model": folder.name, "runs": runs, "onnxruntime_version": answer["version"]}
    result |= {"tiny_ms": best(tiny), "onnxruntime_ms": best(ort)}
    result["ratio"] = result["onnxruntime_ms"]["min"] / result["tiny_ms"]["min"]
    result["rounds"] = {"tiny_ms": tiny, "onnxruntime_ms": ort}
    return result


def row(result):
    tiny, ort = result["tiny_ms"], result["onnxruntime_ms"]
    numbers = [f"{ms:.4g}" for ms in (tiny["min"], tiny["median"], ort["min"], ort["median"])]
    cells = [f"{result['model']:27}", *(f"{number:>9}" for number in numbers), f"{result['ratio']:5.2f}"]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny-run", default=str(ROOT / "build/release/bin/tiny-run"), help="default: %(default)s")
    parser.add_argument("--shared", type=pathlib.Path, help="default: $TINY_SHARED, or ../shared")
    parser.add_argument("--models", nargs="+", metavar="NAME", default=DEFAULT_MODELS, help="folders in SHARED/models")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each side (default: 5)")
    parser.add_argument("--seconds", type=float, default=1, help="run time of a process (default: 1)")
    parser.add_argument("--threads", type=int, default=2, help="of both sides (default: 2)")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/bench-models.json", help="default: %(default)s")
    options = parser.parse_args()
    if options.rounds < 1 or options.threads < 1 or not options.seconds > 0:
        parser.error("--rounds, --threads and --seconds must be positive")
    shared = options.shared or pathlib.Path(os.environ.get("TINY_SHARED") or ROOT.parent / "shared")
    folders = [shared / "models" / name for name in options.models]
    report = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "threads": options.threads,
        "load_before": os.getloadavg(),
        "results": [],
    }
    try:
        for folder in folders:
            vector(folder)
        python = prepare_environment()
        print(f"{report['date']}, {report['processor']}, {options.threads} threads, {options.rounds} rounds, ms\n")
        print("| model                       |  Tiny min |    median |   ORT min |    median | ratio |")
        print("|-----------------------------|----------:|----------:|----------:|----------:|------:|")
        for folder in folders:
            report["results"].append(measure(python, folder, options))
            print(row(report["results"][-1]), flush=True)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    except (Failure, OSError) as error:
        sys.stdout.flush()
        sys.exit(f"models: {error}")
    print(f"\nratio: ORT min / Tiny min, above 1 where Tiny is faster. All numbers: {options.json}")


if __name__ == "__main__":
    main()
