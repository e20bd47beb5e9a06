#!/usr/bin/env python3
"""How many wave instructions a second the gfx1100 simulator executes.

    python3 benchmarks/simulator.py --build build/release

Runs a kernel that is nearly all vector ALU (a loop of 64 instructions) as wave32 and as
wave64, with no checks and with all of them, on one core: the second of two sizes less the
first, so that loading and starting do not count. Prints millions of wave instructions per
second; the least time of a few runs. The numbers of README.md were made like this.
"""

import argparse
import os
import subprocess
import sys
import tempfile

LOOPS = 4000
BODY = [
    "v_fma_f32 v{d}, v{a}, v{b}, v{d}", "v_add_f32 v{d}, v{a}, v{b}", "v_mul_f32 v{d}, v{a}, v{b}",
    "v_add_nc_u32 v{d}, v{a}, v{b}", "v_lshlrev_b32 v{d}, 3, v{a}", "v_and_b32 v{d}, v{a}, v{b}",
    "v_max_f32 v{d}, v{a}, v{b}", "v_xor_b32 v{d}, v{a}, v{b}",
]


def kernel(wave):
    """Assembly of a kernel that runs LOOPS loops of 64 vector instructions per wave."""
    lines = [f"v_mov_b32 v{n}, v0" for n in range(1, 33)]
    lines += [f"s_movk_i32 s4, {LOOPS}", "loop:"]
    lines += [
        BODY[n % len(BODY)].format(d=1 + n % 16, a=17 + n * 7 % 16, b=17 + n * 5 % 16)
        for n in range(64)
    ]
    lines += ["s_sub_u32 s4, s4, 1", "s_cmp_lg_u32 s4, 0", "s_cbranch_scc1 loop", "s_endpgm"]
    code = "\n".join("  " + line if not line.endswith(":") else line for line in lines)
    return f"""  .amdgcn_target "amdgcn-amd-amdhsa--gfx1100"
  .text
  .globl spin
  .p2align 8
  .type spin,@function
spin:
{code}
  .size spin, .-spin
  .rodata
  .p2align 6
  .amdhsa_kernel spin
    .amdhsa_next_free_vgpr 40
    .amdhsa_next_free_sgpr 16
    .amdhsa_wavefront_size32 {int(wave == 32)}
    .amdhsa_float_denorm_mode_32 3
  .end_amdhsa_kernel
  .amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - {{ .name: spin, .symbol: spin.kd, .kernarg_segment_size: 0, .kernarg_segment_align: 8,
      .group_segment_fixed_size: 0, .private_segment_fixed_size: 0, .wavefront_size: {wave},
      .sgpr_count: 16, .vgpr_count: 40, .max_flat_workgroup_size: 1024 }}
...
  .end_amdgpu_metadata
"""


def build(tools, wave, folder):
    """Assembles and links the kernel; the code object's path."""
    source = os.path.join(folder, f"spin{wave}.s")
    with open(source, "w") as file:
        file.write(kernel(wave))
    features = "+wavefrontsize32" if wave == 32 else "+wavefrontsize64,-wavefrontsize32"
    subprocess.run([tools + "llvm-mc", "-triple=amdgcn-amd-amdhsa", "-mcpu=gfx1100", "-mattr=" + features,
                    "-filetype=obj", source, "-o", source + ".o"], check=True)
    subprocess.run([tools + "ld.lld", "-shared", source + ".o", "-o", source + ".hsaco"], check=True)
    return source + ".hsaco"


def seconds(runner, code, wave, waves, checks):
    """Seconds that the kernel takes, as the runner measures them."""
    environment = dict(os.environ, TINY_SIM_CHECKS=checks, TINY_SIM_THREADS="1")
    out = subprocess.run([runner, code, "spin", str(wave), str(waves)], env=environment, check=True,
                         stdout=subprocess.PIPE, universal_newlines=True).stdout
    return float(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="build folder (default build/release)")
    parser.add_argument("--llvm", default="/usr/lib/llvm-22/bin/", help="folder of llvm-mc and ld.lld")
    parser.add_argument("--waves", type=int, default=40, help="waves of the long run (default 40)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, the least counts (default 5)")
    options = parser.parse_args()
    runner = os.path.join(options.build, "test", "Sim", "sim-launch")
    if not os.path.exists(runner):
        sys.exit(f"{runner} is missing: ninja -C {options.build} sim-launch")
    print("| kernel | checks | million wave instructions/s |")
    print("|--------|--------|----------------------------:|")
    with tempfile.TemporaryDirectory() as folder:
        for wave in (32, 64):
            code = build(options.llvm, wave, folder)
            for checks in ("none", "all"):
                short = min(seconds(runner, code, wave, 2, checks) for _ in range(options.rounds))
                long = min(seconds(runner, code, wave, 2 + options.waves, checks) for _ in range(options.rounds))
                rate = options.waves * LOOPS * 67 / (long - short) / 1e6
                print(f"| wave{wave} | {checks} | {rate:.1f} |", flush=True)


if __name__ == "__main__":
    main()
