"""What the benchmarks share: the virtual environment of the peers, and how times become a table."""

import math
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
# What each peer needs from PyPI. A peer that is not here needs nothing but what all have.
EVERYBODY = ["onnx", "numpy"]
PEERS = {
    "numpy": [],
    "onnxruntime": ["onnxruntime==1.31.*"],
    "openvino": ["openvino==2026.4.*"],
    "torch": ["torch"],
    "onednn": ["onednn-devel-cpu-gomp"],
    "iree": ["iree-base-compiler[onnx]==3.13.*", "iree-base-runtime==3.13.*"],
}
# PyTorch's own index has wheels without the libraries of GPUs, a tenth of the size.
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"


class Failure(Exception):
    """Something the user must hear about, as one plain sentence."""


def installed(python):
    """The packages of an environment: name to version."""
    command = [python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))


def is_there(package, versions):
    name, _, wanted = package.partition("==")
    name = name.partition("[")[0]
    return name in versions and versions[name].startswith(wanted.rstrip("*"))


def install(python, packages):
    """Whether the packages are there now. pip says why not."""
    print(f"installing {', '.join(packages)} into {ENVIRONMENT} ...", file=sys.stderr)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if packages == ["torch"]:
        from_torch = command + ["--retries", "0", "--index-url", TORCH_INDEX, *packages]
        if subprocess.run(from_torch, capture_output=True).returncode == 0:
            return True
    return subprocess.run(command + packages).returncode == 0


def build_onednn():
    """Whether the library of onednn.cpp is there now. The compiler says why not."""
    source, library = pathlib.Path(__file__).with_name("onednn.cpp"), ENVIRONMENT / "onednn.so"
    if library.is_file() and library.stat().st_mtime > source.stat().st_mtime:
        return True
    command = ["c++", "-std=c++17", "-O1", "-shared", "-fPIC", f"-I{ENVIRONMENT}/include", source]
    command += [f"-L{ENVIRONMENT}/lib", "-ldnnl", "-Wl,-rpath,$ORIGIN/lib", "-o", library]
    try:
        return subprocess.run(command).returncode == 0
    except OSError as error:
        print(f"c++: {error.strerror}", file=sys.stderr)
        return False


def prepare_environment(peers):
    """Returns the Python of the virtual environment and those of `peers` that it has; the others are said to be
    left out."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    versions = installed(python)
    missing = [package for package in EVERYBODY if not is_there(package, versions)]
    if missing and not install(python, missing):
        raise Failure(f"pip could not install {' and '.join(missing)}; its reason is above")
    found = []
    for peer in peers:
        missing = [package for package in PEERS[peer] if not is_there(package, versions)]
        if missing and not install(python, missing):
            print(f"{peer} is left out: pip could not install it; its reason is above", file=sys.stderr)
        elif peer == "onednn" and not build_onednn():
            print(f"{peer} is left out: onednn.cpp does not compile; the reason is above", file=sys.stderr)
        else:
            found.append(peer)
    return python, found


def of_processor(field):
    """What Linux says about the first core; nothing where there is no Linux."""
    try:
        found = re.search(rf"^{field}\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        return ""
    return found[1] if found else ""


def processor():
    return f"{of_processor('model name') or platform.machine()}, {os.cpu_count()} cores"


def run_tiny(command):
    """The least and the median time in milliseconds that `tiny-run --bench` prints."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"cannot start {command[0]}: {error.strerror}; is Tiny built?") from error
    if result.returncode != 0:
        raise Failure(f"tiny-run fails: {result.stderr.strip() or result.stdout.strip()}")
    found = re.search(r"^bench: min ([\d.]+) ms, median ([\d.]+) ms", result.stdout, re.M)
    if not found:
        raise Failure("tiny-run printed no line 'bench: min ... ms, median ... ms'")
    return float(found[1]), float(found[2])


def best(rounds):
    """Of (least, median) pairs, one for each round."""
    return {"min": min(least for least, _ in rounds), "median": statistics.median(m for _, m in rounds)}


def geometric_mean(ratios):
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
