"""How lit runs the .mlir and .test files; docs/Testing.md explains their use."""
import os
import shutil
import sys

import lit.formats

config.name = "Tiny"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
# Inputs/ holds what tests read, unit/ and Install/ are not lit's.
config.excludes = ["Inputs", "unit", "Install"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(
    config.tiny_build_dir, "test", "OnSim" if os.environ.get("TINY_TEST_ON") == "sim" else ""
)

# Our tools first, then FileCheck, not, split-file.
config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.tiny_build_dir, "bin"),
        config.llvm_tools_dir,
        config.environment.get("PATH", ""),
    ]
)
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input-filter=error"
for line in config.tiny_environment:
    name, _, value = line.partition("=")
    if name:
        config.environment[name] = value

# Code that tiny-run keeps is of one build, and no affair of the user's.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")

# Models and data sets that are too large for this repository lie beside it, or
# where TINY_SHARED says.
shared = os.environ.get("TINY_SHARED") or os.path.join(config.tiny_source_dir, "..", "shared")
shared = os.path.realpath(shared)
config.substitutions.append(("%shared", shared))
config.substitutions.append(("%tiny_src", config.tiny_source_dir))
# ONNX models lie in tests as text; protoc comes with the packages that a build needs.
encode = "protoc --encode=onnx.ModelProto --proto_path=/usr/include/onnx onnx.proto"
config.substitutions.append(("%encode-onnx", encode))
# The simulator under the name of ROCm's library, for LD_LIBRARY_PATH.
config.substitutions.append(("%hsa_sim_lib", os.path.join(config.tiny_build_dir, "lib", "hsa-sim")))
# Kernels for the card, and C programs that launch them.
clang = os.path.join(config.llvm_tools_dir, "clang")
config.substitutions.append(("%clang-gfx1100", clang + " -x cl -cl-std=CL2.0 -nogpulib -O2 -target amdgcn-amd-amdhsa -mcpu=gfx1100"))
config.substitutions.append((r"%clang\b", clang))
config.substitutions.append(("%python", sys.executable))
if os.path.isdir(os.path.join(shared, "models")):
    config.available_features.add("shared")
else:
    lit_config.note("no shared models in %s: the tests that need them are skipped" % shared)

# Where bf16 is multiplied, that is run; elsewhere, only what is emitted for others is looked at.
with open("/proc/cpuinfo") as cpuinfo:
    if "avx512_bf16" in cpuinfo.read().split():
        config.available_features.add("avx512bf16")
    else:
        lit_config.note("no AVX512_BF16: products in bf16 are compiled, and not run")

# Code for the other architecture is compiled by every test that wants it, and run where that can be.
aarch64_tools = ["aarch64-linux-gnu-gcc", "qemu-aarch64"]
missing = [tool for tool in aarch64_tools if not shutil.which(tool)]
if missing:
    lit_config.note("no %s: code for AArch64 is compiled, and not run" % " and no ".join(missing))
else:
    config.available_features.add("aarch64-execution")

if os.environ.get("TINY_TEST_ON") == "sim":
    # The tests of programs once more, on the simulated card: OnSim/tiny-run sees to that. What the
    # interpreter says by itself is known from the first time.
    config.available_features.add("sim")
    tools = os.path.join(config.tiny_build_dir, "bin")
    config.environment["TINY_RUN"] = os.path.join(tools, "tiny-run")
    config.environment["PATH"] = os.pathsep.join(
        [os.path.join(config.test_source_root, "OnSim"), config.environment["PATH"]]
    )
    config.substitutions.append((r"(not )?tiny-run [^|]*--target reference.*", "true"))

if config.tiny_asan:
    config.available_features.add("asan")

if os.environ.get("TINY_VERIFY_ROUNDTRIP"):
    # A test that cannot survive it (it checks the verifier, say) has UNSUPPORTED: roundtrip.
    config.available_features.add("roundtrip")
    config.substitutions.append((r"(?<![\w/.-])tiny-opt(?![\w/.-])", "tiny-opt --verify-roundtrip"))
