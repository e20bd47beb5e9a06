#!/usr/bin/env python3
"""Times single ops on Tiny and on the libraries that are best at them, side by side on this machine.

    python3 benchmarks/ops.py --tiny-run build/release/bin/tiny-run

benchmarks/README.md says what is measured. Needs Python's standard library; the peers go into a virtual
environment under build/, made at the first run.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from common import ROOT, Failure, best, geometric_mean, prepare_environment, processor, run_tiny

PEERS = ["numpy", "torch", "onnxruntime", "openvino", "onednn"]
SIDE = pathlib.Path(__file__).with_name("ops_side.py")
GROUPS = {
    "products": r"(gemm|bmm|gemv)\S* \S+",
    "convolutions and pooling": r"(\w*conv|maxpool)\S* \S+( g\d+)?",
    "elementwise, reductions, movement": r"(chain|add|exp|gelu|sum|softmax|layernorm|transpose)\S* \S+",
    "attention": r"attention\S* \S+",
    "bf16": r".* bf16",
    "int8": r".* int8",
}


def ask_side(python, *arguments):
    """What ops_side.py prints."""
    result = subprocess.run([python, SIDE, *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"ops_side.py {arguments[0]} fails: {result.stderr.strip()}")
    return json.loads(result.stdout)


class Peer:
    """A process that times one library, and is there for the whole run."""

    def __init__(self, python, name, folder, threads):
        self.name = name
        command = [python, SIDE, "serve", folder, name, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **task):
        try:
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            return {"error": "its process has ended"}

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def time_tiny(about, options, threads, runs):
    folder = pathlib.Path(about["folder"])
    command = [options.tiny_run, folder / "model.onnx", "--precision", about["precision"], "--threads", threads]
    command += ["--bench", runs, "--rtol", about["rtol"], "--atol", about["atol"], "--expect", f"@{folder / 'expected.npy'}"]
    for i in range(about["inputs"]):
        command += ["--input", f"@{folder / f'x{i}.npy'}"]
    return run_tiny(command)


def measure(name, about, peers, options, threads):
    """Interleaves all sides, so that what else the machine does hits each of them."""
    times, failures, runs = {}, {}, None
    for _ in range(options.rounds):
        if runs is None:  # as many as fill the time
            least, _ = time_tiny(about, options, threads, 3)
            runs = max(3, min(100000, int(options.seconds * 1e3 / max(least, 1e-3))))
        times.setdefault("tiny", []).append(time_tiny(about, options, threads, runs))
        for peer in peers:
            if peer.name in failures:
                continue
            answer = peer.ask(case=name, folder=about["folder"], seconds=options.seconds)
            if "min" in answer:
                times.setdefault(peer.name, []).append((answer["min"], answer["median"]))
            elif "error" in answer:
                failures[peer.name] = answer["error"]
                print(f"{peer.name} is left out of {name}: {answer['error']}", file=sys.stderr)
    result = {"case": name, "ms": {side: best(rounds) for side, rounds in times.items()}, "rounds": times}
    others = {side: ms["min"] for side, ms in result["ms"].items() if side != "tiny"}
    if others:
        result["best"] = min(others, key=others.get)
        result["ratio"] = others[result["best"]] / result["ms"]["tiny"]["min"]
    return result


def row(result, sides):
    def cell(side):
        ms = result["ms"].get(side)
        return f"{ms['min']:.4g}" if ms else "–"

    tiny = result["ms"]["tiny"]
    ratio = f"{result['ratio']:.2f}" if "ratio" in result else "–"
    cells = [cell("tiny"), f"{tiny['median']:.4g}", *(cell(side) for side in sides), result.get("best", "–"), ratio]
    return f"| {result['case']} | {' | '.join(cells)} |"


def print_means(results, sides):
    for group, pattern in GROUPS.items():
        ratios = [r["ratio"] for r in results if re.fullmatch(pattern, r["case"]) and "ratio" in r]
        if ratios:
            fifth = f", 5th percentile {statistics.quantiles(ratios, n=20)[0]:.2f}" if len(ratios) >= 20 else ""
            told = f"{geometric_mean(ratios):.2f}, {min(ratios):.2f}{fifth}"
            print(f"| *{group}: geometric mean, least* |{' |' * (len(sides) + 3)} {told} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny-run", default=str(ROOT / "build/release/bin/tiny-run"), help="default: %(default)s")
    parser.add_argument("--cases", metavar="REGEX", default="", help="those whose names it is found in (default: all)")
    parser.add_argument(
        "--shapes", metavar="NAME", nargs="+", help="others than those, as 'conv3x3 1x16x32x32->16' or 'gemm 8x277x146 bf16'"
    )
    parser.add_argument("--random", metavar="COUNT", type=int, help="so many random products and convolutions instead")
    parser.add_argument("--seed", type=int, default=1, help="of --random (default: 1)")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="default: all of them")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of all sides (default: 1 2)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side (default: 3)")
    parser.add_argument("--seconds", type=float, default=0.3, help="run time of a measurement (default: 0.3)")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/bench-ops.json", help="default: %(default)s")
    options = parser.parse_args()
    if options.rounds < 1 or min(options.threads) < 1 or not options.seconds > 0:
        parser.error("--rounds, --threads and --seconds must be positive")
    report = {"date": datetime.date.today().isoformat(), "processor": processor(), "load_before": os.getloadavg()}
    report |= {"rounds": options.rounds, "seconds": options.seconds, "threads": {}}
    try:
        python, found = prepare_environment(options.peers)
        known = ask_side(python, *(["draw", str(options.random), str(options.seed)] if options.random else ["list"]))
        names = options.shapes or [name for name in known if re.search(options.cases, name)]
        if not names:
            raise Failure(f"no case is called like '{options.cases}'; there are {', '.join(known)}")
        for threads in options.threads:
            print(f"{report['date']}, {report['processor']}, {threads} threads, {options.rounds} rounds, ms\n")
            print(f"| case | Tiny min | median | {' | '.join(found)} | best peer | ratio |")
            print("|---|" + "--:|" * (2 + len(found)) + "---|--:|")
            results = report["threads"][threads] = []
            with tempfile.TemporaryDirectory() as folder:
                peers = [Peer(python, name, folder, threads) for name in found]
                for name in names:
                    about = ask_side(python, "make", folder, name)
                    results.append(measure(name, about, peers, options, threads))
                    print(row(results[-1], found), flush=True)
                for peer in peers:
                    peer.end()
            print_means(results, found)
            print()
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    except (Failure, OSError) as error:
        sys.stdout.flush()
        sys.exit(f"ops: {error}")
    print(f"ratio: the best peer's min / Tiny's min, above 1 where Tiny is faster. All numbers: {options.json}")


if __name__ == "__main__":
    main()
