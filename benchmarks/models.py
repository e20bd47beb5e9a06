#!/usr/bin/env python3
"""Times models on Tiny, ONNX Runtime, OpenVINO and IREE, side by side on this machine.

    python3 benchmarks/models.py --tiny-run build/release/bin/tiny-run

benchmarks/README.md says what is measured. Needs Python's standard library; the others go into a virtual
environment under build/, made at the first run.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys

from common import ROOT, Failure, best, geometric_mean, prepare_environment, processor, run_tiny

PEERS = ["onnxruntime", "openvino", "iree"]
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
    "mlperf-ic-resnet8-int8",
    "mlperf-kws-dscnn-int8",
    "mlperf-ad-autoencoder-int8",
    "mobilenetv2-uint8",
]
# A fast wrong answer is no result. The tests under test/Models are stricter.
MAX_TOL = "1e-3"
# Quantised models round after each layer: a tie that falls the other way moves results by a few steps.
MAX_STEPS = "4"


def vector(folder):
    """The files of the first test vector: inputs, expected outputs."""

    def files(kind):
        found = (folder / "test_data_set_0").glob(f"{kind}_*.pb")
        return [str(path) for path in sorted(found, key=lambda path: int(path.stem.split("_")[1]))]

    if not (folder / "model.onnx").is_file() or not files("input"):
        raise Failure(f"{folder} holds no model.onnx with a test_data_set_0")
    return files("input"), files("output")


def time_peer(python, peer, folder, options, runs):
    task = {
        "peer": peer,
        "model": str(folder / "model.onnx"),
        "inputs": vector(folder)[0],
        "threads": options.threads,
        "seconds": options.seconds,
        "runs": runs,
        "work": str(options.json.parent / "bench-iree"),
    }
    script = pathlib.Path(__file__).with_name("models_side.py")
    result = subprocess.run([python, script], input=json.dumps(task), capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"{peer} fails on {folder.name}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def time_tiny(folder, options, runs, open_dims):
    """Returns the least and the median time in milliseconds, of `runs` runs after the one that is checked."""
    inputs, outputs = vector(folder)
    command = [options.tiny_run, folder / "model.onnx", "--threads", options.threads, "--bench", runs]
    quantised = folder.name.endswith("int8")
    command += ["--rtol", "0", "--atol", MAX_STEPS] if quantised else ["--max-tol", MAX_TOL]
    for flag, values in (("--dim", open_dims), ("--input", inputs), ("--expect", outputs)):
        for value in values:
            command += [flag, value if flag == "--dim" else f"@{value}"]
    return run_tiny(command)


def measure(python, peers, folder, options):
    """Interleaves all sides, so that what else the machine does hits each of them. The first peer says how many
    runs are a round."""
    times, versions, runs = {side: [] for side in ["tiny", *peers]}, {}, None
    for _ in range(options.rounds):
        for peer in [peer for peer in peers if peer in times]:
            try:
                answer = time_peer(python, peer, folder, options, runs)
            except Failure as failure:
                if len(times) == 2:
                    raise  # nobody is left to compare with
                print(f"{peer} is left out of {folder.name}: {failure}", file=sys.stderr)
                del times[peer]
                continue
            runs = runs or len(answer["ms"])
            versions[peer] = answer["version"]
            times[peer].append((min(answer["ms"]), statistics.median(answer["ms"])))
        times["tiny"].append(time_tiny(folder, options, runs, answer["open_dims"]))
    result = {"model": folder.name, "runs": runs, "versions": versions}
    result["ms"] = {side: best(rounds) for side, rounds in times.items()}
    result["ratios"] = {
        peer: ms["min"] / result["ms"]["tiny"]["min"] for peer, ms in result["ms"].items() if peer != "tiny"
    }
    return result | {"rounds": times}


def row(result, peers):
    cells = [f"{result['model']:27}"]
    for side in ["tiny", *peers]:
        ms = result["ms"].get(side)
        cells += [f"{ms['min']:9.4g}", f"{ms['median']:9.4g}"] if ms else ["–", "–"]
        if side != "tiny":
            cells.append(f"{result['ratios'][side]:5.2f}" if ms else "–")
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny-run", default=str(ROOT / "build/release/bin/tiny-run"), help="default: %(default)s")
    parser.add_argument("--shared", type=pathlib.Path, help="default: $TINY_SHARED, or ../shared")
    parser.add_argument("--models", nargs="+", metavar="NAME", default=DEFAULT_MODELS, help="folders in SHARED/models")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="default: all of them")
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
        python, peers = prepare_environment(options.peers)
        if not peers:
            raise Failure("there is nobody to compare with")
        print(f"{report['date']}, {report['processor']}, {options.threads} threads, {options.rounds} rounds, ms\n")
        print(f"| {'model':27} |  Tiny min |    median |{''.join(f' {peer} min | median | ratio |' for peer in peers)}")
        print(f"|{'-' * 29}|----------:|----------:|{'----------:|----------:|------:|' * len(peers)}")
        for folder in folders:
            report["results"].append(measure(python, peers, folder, options))
            print(row(report["results"][-1], peers), flush=True)
        for peer in peers:
            ratios = [result["ratios"][peer] for result in report["results"] if peer in result["ratios"]]
            if ratios:
                print(f"\n{peer}: geometric mean {geometric_mean(ratios):.2f}, least {min(ratios):.2f}")
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    except (Failure, OSError) as error:
        sys.stdout.flush()
        sys.exit(f"models: {error}")
    print(f"\nratio: the peer's min / Tiny's min, above 1 where Tiny is faster. All numbers: {options.json}")


if __name__ == "__main__":
    main()
