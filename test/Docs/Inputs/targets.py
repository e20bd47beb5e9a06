#!/usr/bin/env python3
"""Hold the tables of docs/Targets.md about code for gfx1100 to what the compiler makes, and run its
commands. Tables are between <!-- NAME --> and <!-- end -->.

usage: targets.py docs/Targets.md [--update]        in the root of the sources; tiny-opt is on PATH
"""
import json
import os
import re
import subprocess
import sys
import tempfile

INPUTS = "test/Compiler/Inputs"
# Name, file, the nest whose tile is shown (the one with most of the work).
PROGRAMS = [
    ("GEMM f16, A·Bᵀ", "gemm-f16-transposed", 0),
    ("GEMM f16, A·B", "gemm-f16", 0),
    ("GEMM f32, A·Bᵀ", "gemm-f32", 0),
    ("convolution f16", "conv-f16", 0),
    ("softmax f32", "softmax", 0),
    ("attention f16", "attention-f16", 0),
]
# The row of gfx1100.
ROW = re.search(r'{"gfx1100".*?ComputeUnits{(\d+), (\d+), (\d+), \d+, \d+, \d+ << 10, (\d+), .*?'
                r'PeakRates{(\d+), (\d+), (\d+)}', open("include/Tiny/Target.h", encoding="utf-8").read(), re.S)
UNITS, SIMDS, WAVE, LDS_BANKS, GIGAFLOPS, GIGABYTES, MATRIX_GIGAFLOPS = map(int, ROW.groups())
CLOCK = GIGAFLOPS / (UNITS * SIMDS * WAVE * 4)  # GHz: two fused multiply-adds a lane
FLOPS_OF_WMMA = 2 * 16**3
MATRIX_FLOPS = MATRIX_GIGAFLOPS / CLOCK / (UNITS * SIMDS)  # of one SIMD in a cycle
LDS_BYTES = LDS_BANKS * 4 / 2  # two units share the banks
MEMORY_BYTES = GIGABYTES / CLOCK / UNITS


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{command}\n{done.stderr}")
    return done


def tile(path, nest):
    text = run(["tiny-opt", path, "--tiny-rdna3",
                "--mlir-print-ir-after=tiny-tile-select-tiling-rdna3", "-o", os.devnull]).stderr
    tilings = re.findall(r"#tiny\.gpu_tiling<(.*?)>", text)
    lists = {name: json.loads(value) for name, value in re.findall(r"(\w+) = (\[[^]]*\])", tilings[nest])}
    contract = re.search(r"contract = (\w+)", tilings[nest])[1]
    numbers = {name: "x".join(map(str, value)) for name, value in lists.items()}
    if contract == "none":
        vector = re.search(r"vector = (\d+) by (\d+)", tilings[nest])[2]
        return f"{numbers['grid']}, {numbers['lanes']} lanes of {vector}"
    by = f"{numbers['waves']} waves" if contract == "wmma" else f"{numbers['lanes']} lanes"
    return f"{numbers['grid']}, depth {lists['unroll'][-1]}, {by}, {contract}"


def cycles(code):
    """What one wave on each SIMD of a unit keeps busy, in cycles: matrix unit, vector unit, LDS, and
    memory, if no cache had anything."""
    kinds = code["kinds"]
    moved = {"global": 0, "lds": 0}
    for access, count in code["accesses"].items():
        where, bits = re.fullmatch(r"(\w+?)_\w+_b(\d+)", access).groups()
        if where in moved:
            moved[where] += count * int(bits) // 8 * WAVE * SIMDS
    vector = kinds["vopd"] + kinds["fma"] + kinds["valu"] + 4 * kinds["transcendental"]
    return [kinds["wmma"] * FLOPS_OF_WMMA / MATRIX_FLOPS, vector, moved["lds"] / LDS_BYTES,
            moved["global"] / MEMORY_BYTES]


def tables():
    kernels = ["| program | tile | lanes | VGPRs | SGPRs | spilled | LDS | waves/SIMD | mode |",
               "|---|---|---|---|---|---|---|---|---|"]
    loops = ["| program | code | instructions | WMMA | VOPD | matrix unit | vector unit | LDS | memory |",
             "|---|---|---|---|---|---|---|---|---|"]
    for name, file, nest in PROGRAMS:
        path = f"{INPUTS}/{file}.mlir"
        report = json.loads(run(["tiny-opt", path, "--tiny-report=json", "--target", "gfx1100"]).stdout)
        [kernel] = report["code"]["kernels"]
        mode = kernel["mode"]
        kernels.append("| " + " | ".join(map(str, [
            name, tile(path, nest), kernel["lanes"], kernel["vgprs"], kernel["sgprs"],
            kernel["spilled_vgprs"] + kernel["spilled_sgprs"], f"{kernel['lds_bytes']:,}",
            kernel["occupancy_" + mode]["waves_per_simd"], mode.upper()])) + " |")
        inner = kernel["loops"][0] if kernel["loops"] else None
        code = inner or kernel["code"]
        loops.append("| " + " | ".join(map(str, [
            name, "loop" if inner else "whole kernel", code["working"],
            code["kinds"]["wmma"], code["kinds"]["vopd"],
            *(f"{round(n):,}" for n in cycles(code))])) + " |")
    return {"kernels": kernels, "loops": loops}


def replace(text, name, lines):
    table = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
    if not table.search(text):
        sys.exit(f"no table '{name}'")
    return table.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], text)


def main(path, update):
    with open(path, encoding="utf-8") as file:
        old = file.read()
    new = old
    for name, lines in tables().items():
        new = replace(new, name, lines)
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)
    else:
        for was, now in zip(old.splitlines(), new.splitlines()):
            if was != now:
                print(f"{path} says\n  {was}\nbut it is\n  {now}")
    # The commands, in a folder where they may write.
    commands = re.findall(r"^    \$ (.*)$", old[old.index("## gfx1100"):], re.M)
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath("test"), os.path.join(folder, "test"))
        for command in commands:
            run(["bash", "-eo", "pipefail", "-c", command], cwd=folder)
    stale = old != new and not update
    print(f"{len(commands)} commands run, the tables are {'stale: --update mends them' if stale else 'right'}")
    sys.exit(stale)


main(sys.argv[1], "--update" in sys.argv[2:])
