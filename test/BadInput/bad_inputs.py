"""Runs the tools on bad inputs and holds them to one behaviour.

Whatever is wrong, a tool exits with status 1 (never by a signal), prints one error that says what
is wrong, and leaves no output file behind.

Inputs/*.mlir are bad programs. Their first lines say what is expected:
    // error: a phrase of the message
    // tools: tiny-run        (default: all three, told to write a file)
    // args: --input 1        (more arguments)
What is no text is made here: bytecode, ONNX models, tensor files, and command lines.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

import bad_models

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.join(HERE, "Inputs")

# MLIR itself says these after an error that a verifier or a parser of ours has reported.
FOLLOW_UPS = ("failed to parse Tiny_",)

GOOD = """func.func @main(%x: tensor<2x3xf32> {tiny.name = "x"}, %n: tensor<2xi8>)
    -> (tensor<2xf32> {tiny.name = "y"}) {
  %0 = tiny.reduce add %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %1 = tiny.cast %n : tensor<2xi8> to tensor<2xf32>
  %2 = tiny.add %0, %1 : tensor<2xf32>
  return %2 : tensor<2xf32>
}
"""


class Case:
    """A command line whose last argument may be an output file, and a phrase of its error."""

    def __init__(self, name, command, phrase, stdout=None):
        self.name, self.command, self.phrase, self.stdout = name, command, phrase, stdout


def errors_of(tool, stderr):
    """The lines of stderr that are errors."""
    lines = []
    for line in stderr.splitlines():
        if any(text in line for text in FOLLOW_UPS) and tool != "tiny-run":
            continue
        is_own = re.match(r"(\S*/)?tiny-(opt|translate|run): |cannot open (in|out)put file", line)
        if "error:" in line or (is_own and not re.search("Did you mean|note:|so far", line)):
            lines.append(line)
    return lines


def source_lines(command):
    """The lines of the program that a command reads, if it is text."""
    for path in command:
        if path.endswith(".mlir") and os.path.isfile(path):
            with open(path, encoding="latin-1") as stream:
                return set(stream.read().splitlines())
    return set()


def run(case, scratch):
    """What is wrong with how the tool behaved; empty if nothing is."""
    folder = os.path.join(scratch, case.name)
    os.makedirs(folder)
    before = set(os.listdir(os.path.join(scratch, "files")))
    command = [part.replace("{files}", os.path.join(scratch, "files")) for part in case.command]
    with open(case.stdout or os.path.join(folder, "stdout"), "wb") as stdout:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=300,
            check=False,
        )
    stderr = done.stderr.decode("utf-8", "replace")
    problems = []
    if done.returncode != 1:
        problems.append("exit status %d, expected 1" % done.returncode)
    errors = errors_of(os.path.basename(case.command[0]), stderr)
    if len(errors) != 1:
        problems.append("%d errors, expected 1" % len(errors))
    # A message may have several lines; the line of the source that it shows is no part of it.
    source = source_lines(command)
    said = "\n".join(line for line in stderr.splitlines() if line not in source)
    if case.phrase not in said:
        problems.append("it does not say '%s'" % case.phrase)
    if "Sanitizer" in stderr or "Stack dump" in stderr or "PLEASE submit a bug" in stderr:
        problems.append("it crashed")
    left = [name for name in os.listdir(folder) if name != "stdout"]
    left += set(os.listdir(os.path.join(scratch, "files"))) - before
    if left:
        problems.append("left behind: " + ", ".join(left))
    if problems:
        problems.append("command: " + " ".join(command))
        problems.append("stderr: " + stderr[:2000])
    return problems


def text_cases():
    """The programs of Inputs/."""
    for file in sorted(os.listdir(INPUTS)):
        path = os.path.join(INPUTS, file)
        name = file[: -len(".mlir")]
        with open(path, "rb") as stream:
            head = stream.read(400).decode("latin-1").splitlines()
        fields = dict(re.findall(r"^// (\w+): (.*)$", "\n".join(head[:3]), re.MULTILINE))
        args = fields.get("args", "").split()
        for tool in fields.get("tools", "tiny-opt tiny-translate tiny-run").split():
            command = {
                "tiny-opt": ["tiny-opt", path, "-o", "out"],
                "tiny-translate": ["tiny-translate", "--mlir-to-mlir", path, "-o", "out"],
                "tiny-run": ["tiny-run", path] + (args or ["--emit", "mlir", "-o", "out"]),
            }[tool]
            if "tools" in fields:
                command = [tool, path] + args
            yield Case("%s-%s" % (name, tool), command, fields["error"])


def bytecode_cases(files):
    """Cut and changed bytecode of a good program."""
    good = os.path.join(files, "good.mlirbc")
    subprocess.run(
        ["tiny-translate", "--mlir-to-bytecode", os.path.join(files, "good.mlir"), "-o", good],
        check=True,
    )
    with open(good, "rb") as stream:
        data = stream.read()
    variants = {
        "cut-in-magic": (data[:3], ""),
        "cut-after-magic": (data[:4], ""),
        "cut-in-header": (data[:9], ""),
        "cut-early": (data[: len(data) // 4], ""),
        "cut-in-half": (data[: len(data) // 2], ""),
        "cut-at-the-end": (data[:-1], ""),
        "future-version": (data[:4] + b"\xff" + data[5:], "version"),
        "sections-of-noise": (data[:16] + bytes(len(data) - 16), ""),
    }
    for name, (content, phrase) in variants.items():
        path = os.path.join(files, name + ".mlirbc")
        with open(path, "wb") as stream:
            stream.write(content)
        for tool, command in (
            ("opt", ["tiny-opt", path, "-o", "out"]),
            ("translate", ["tiny-translate", "--mlir-to-mlir", path, "-o", "out"]),
            ("run", ["tiny-run", path, "--emit", "mlir", "-o", "out"]),
        ):
            yield Case("bytecode-%s-%s" % (name, tool), command, phrase)


def onnx_cases(files):
    for name, content, args, phrase in bad_models.models():
        path = os.path.join(files, name + ".onnx")
        with open(path, "wb") as stream:
            stream.write(content)
        yield Case(
            "onnx-%s-translate" % name,
            ["tiny-translate", "--import-onnx", path, "-o", "out"] + args,
            phrase,
        )
        yield Case(
            "onnx-%s-run" % name, ["tiny-run", path, "--emit", "mlir", "-o", "out"] + args, phrase
        )


def tensor_cases(files):
    """Files that are not the tensor that the program needs."""
    for name, content, phrase in bad_models.tensors():
        with open(os.path.join(files, name), "wb") as stream:
            stream.write(content)
        yield Case(
            "tensor-" + name,
            ["tiny-run", "{files}/good.mlir", "--target", "reference"]
            + ["--input", "@{files}/" + name, "--input", "1", "--output", "@out.npy"],
            phrase,
        )


def command_line_cases(files):
    model = "{files}/good.mlir"
    inputs = ["--input", "1", "--input", "1"]
    reference = ["--target", "reference"]
    os.makedirs(os.path.join(files, "folder.npy"))

    def tiny_run(name, args, phrase, **more):
        return Case("option-" + name, ["tiny-run"] + args, phrase, **more)

    yield tiny_run("none", [], "no model is given")
    yield tiny_run("unknown", [model, "--benhc", "3"], "did you mean '--bench'?")
    yield tiny_run("unknown-value", [model, "--target", "gpu"], "'gpu' is unknown")
    yield tiny_run("unknown-cpu", [model, "--cpu", "z80"] + inputs, "z80")
    yield tiny_run("no-value", [model, "--entry"], "--entry needs a value")
    yield tiny_run("needless-value", [model, "--profile=yes"], "takes no value")
    yield tiny_run("twice", [model, "--entry", "a", "--entry", "b"], "given twice")
    yield tiny_run("two-models", [model, model], "two models are given")
    yield tiny_run("bench-none", [model, "--bench", "0"], "'0' is not a whole number")
    yield tiny_run("bench-word", [model, "--bench", "many"], "'many' is not a whole number")
    yield tiny_run("threads-negative", [model, "--threads", "-1"], "'-1' is not a whole number")
    yield tiny_run("memory-word", [model, "--max-memory", "4Q"], "'4Q' is not a size")
    yield tiny_run("memory-overflow", [model, "--max-memory", "99999999999999999T"], "not a size")
    yield tiny_run("flops-word", [model, "--max-flops", "2X"], "'2X' is not a count")
    yield tiny_run("flops-none", [model, "--max-flops", "0"], "'0' is not a count")
    yield tiny_run("flops-overflow", [model, "--max-flops", "99999999T"], "is not a count")
    yield tiny_run("flops-reference", [model, "--max-flops", "1"] + reference, "need a target")
    yield tiny_run("rtol-negative", [model, "--rtol", "-1"], "number of 0 or more")
    yield tiny_run("rtol-nan", [model, "--rtol", "nan"], "number of 0 or more")
    yield tiny_run("report-format", [model, "--report=xml"], "'xml' is unknown")
    yield tiny_run("emit-kind", [model, "--emit", "exe", "-o", "out"], "'exe' is unknown")
    yield tiny_run("emit-nowhere", [model, "--emit", "obj"], "needs -o FILE")
    yield tiny_run("emit-reference", [model, "--emit", "mlir"] + reference, "--emit needs a target")
    yield tiny_run("emit-and-run", [model, "--emit", "llvm", "--bench", "3"], "runs nothing")
    yield tiny_run("cpu-reference", [model, "--cpu", "x86-64"] + reference, "--cpu says what --target cpu compiles for")
    bf16 = ["--precision", "bf16"]
    yield tiny_run("precision-word", [model, "--precision", "f8"], "'f8' is unknown: give f32 or bf16")
    yield tiny_run("precision-cpu", [model, "--cpu", "x86-64-v3", "--emit", "asm"] + bf16,
                   "need AVX512_BF16, which 'x86-64-v3' lacks; leave --precision at f32, or compile for a CPU")
    yield tiny_run("precision-reference", [model] + bf16 + reference, "--precision bf16 is for what is compiled")
    yield tiny_run("precision-gpu", [model, "--target", "rdna3"] + bf16, "--precision bf16 is for --target cpu")
    yield tiny_run("precision-bounds", [model, "--verify-against", "reference"] + bf16 + inputs, "needs a tolerance")
    yield tiny_run("cache-reference", [model, "--cache", "c"] + reference, "--cache keeps code and tilings of kernels")
    yield tiny_run("tune-word", [model, "--tune=often"] + inputs, "'often' is not a whole number")
    yield tiny_run("tune-reference", [model, "--tune"] + reference, "--tune measures kernels")
    yield tiny_run("tune-gpu-emit", [model, "--tune", "--target", "rdna3", "--emit", "asm"], "--tune is for what runs")
    yield tiny_run("tune-emit", [model, "--tune", "--emit", "asm"], "--tune is for what runs")
    yield tiny_run("tune-no-cache", [model, "--tune", "--cache", "none"] + inputs, "there is to be none")
    yield tiny_run("tune-no-folder", [model, "--tune", "--cache", "{files}/good.mlir/c"] + inputs, "cannot write to the cache")
    yield tiny_run("output-without-emit", [model, "-o", "out"], "there is no --emit")
    yield tiny_run("profile-reference", [model, "--profile"] + reference, "--profile needs")
    yield tiny_run("report-reference", [model, "--report"] + reference, "--report needs")
    yield tiny_run("dim-of-mlir", [model, "--dim", "n=2"], "--dim is for ONNX models")
    yield tiny_run("dim-word", [model, "--dim", "n=x"], "give NAME=SIZE")
    yield tiny_run("dim-twice", [model, "--dim", "n=2", "--dim", "n=3"], "given twice")
    yield tiny_run("fix-of-mlir", [model, "--fix", "x=2"], "--fix is for ONNX models")
    yield tiny_run("fix-nothing", [model, "--fix", "x="], "give NAME=NUMBER")
    yield tiny_run("fix-twice", [model, "--fix", "x=2", "--fix", "x=3"], "fixed twice")
    yield tiny_run("input-word", [model, "--input", "zebra"], "'zebra' is no input")
    yield tiny_run("input-no-file", [model, "--input", "@"], "must follow the @")
    yield tiny_run("seed-word", [model, "--input", "random:x"], "a seed is a whole number")
    yield tiny_run("output-suffix", [model, "--output", "@y.txt"], "[NAME=]@FILE.npy")
    yield tiny_run("expect-number", [model, "--expect", "3"], "[NAME=]@FILE.npy")
    yield tiny_run("no-such-model", ["{files}/nothing.mlir"], "No such file")
    yield tiny_run("model-is-folder", ["{files}"], "it is not a file")
    yield tiny_run("no-such-entry", [model, "--entry", "f"], "no function 'f'")

    run_reference = [model] + reference
    yield tiny_run(
        "missing-inputs", run_reference, "missing input 'x' tensor<2x3xf32>, 'arg1' tensor<2xi8>"
    )
    yield tiny_run(
        "missing-one", run_reference + ["--input", "arg1=1"], "missing input 'x' tensor<2x3xf32>"
    )
    yield tiny_run("too-many", run_reference + inputs + ["--input", "1"], "more than the inputs")
    yield tiny_run(
        "unknown-input", run_reference + ["--input", "z=1"], "there is no input 'z'; the program has"
    )
    yield tiny_run(
        "input-twice",
        run_reference + ["--input", "x=1", "--input", "0=1"],
        "'x' tensor<2x3xf32> is given twice",
    )
    yield tiny_run(
        "number-too-large", run_reference + ["--input", "1", "--input", "200"], "does not fit"
    )
    yield tiny_run(
        "number-not-whole", run_reference + ["--input", "1", "--input", "1.5"], "not an integer"
    )
    yield tiny_run(
        "no-such-input", run_reference + ["--input", "@none.npy", "--input", "1"], "No such file"
    )
    yield tiny_run(
        "unknown-output", run_reference + inputs + ["--output", "z=@z.npy"], "no result 'z'"
    )
    yield tiny_run(
        "output-to-nowhere", run_reference + inputs + ["--output", "@no/y.npy"], "cannot write"
    )
    yield tiny_run(
        "output-to-folder",
        run_reference + inputs + ["--output", "@{files}/folder.npy"],
        "it is a folder",
    )
    yield tiny_run(
        "no-such-expected", run_reference + inputs + ["--expect", "@none.npy"], "No such file"
    )
    yield tiny_run(
        "not-as-expected",
        run_reference + inputs + ["--expect", "@{files}/two-zeros.npy"],
        "2 of 2 elements differ",
    )
    yield tiny_run(
        "expected-type",
        run_reference + inputs + ["--expect", "@{files}/four-zeros.npy"],
        "which has type tensor<4xf32>",
    )
    yield tiny_run(
        "memory-limit", run_reference + inputs + ["--max-memory", "10"], "the limit is 10"
    )
    yield tiny_run(
        "full-disk",
        run_reference + inputs,
        "cannot write to the standard output",
        stdout="/dev/full",
    )
    yield Case(
        "opt-unknown-option", ["tiny-opt", model, "--no-such-pass", "-o", "out"], "no-such-pass"
    )
    yield Case(
        "opt-unknown-pass",
        ["tiny-opt", model, "--pass-pipeline=builtin.module(no-such-pass)", "-o", "out"],
        "no-such-pass",
    )
    yield Case("opt-no-file", ["tiny-opt", "{files}/nothing.mlir", "-o", "out"], "No such file")
    yield Case("opt-output", ["tiny-opt", model, "-o", "no/such/out"], "No such file")
    for name, tool in (
        ("opt", ["tiny-opt"]),
        ("translate", ["tiny-translate", "--mlir-to-mlir"]),
        ("run", ["tiny-run", "--emit", "mlir"]),
    ):
        command = tool + ["{files}/deep.mlir", "-o", "out"]
        yield Case(name + "-deep", command, "line 2: brackets are nested deeper")
    yield Case("translate-none", ["tiny-translate", model, "-o", "out"], "no translation")
    yield Case(
        "translate-no-file",
        ["tiny-translate", "--mlir-to-mlir", "{files}/nothing.mlir", "-o", "out"],
        "No such file",
    )
    yield Case(
        "translate-output",
        ["tiny-translate", "--mlir-to-mlir", model, "-o", "no/such/out"],
        "No such file",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", required=True, help="an empty folder to work in")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    options = parser.parse_args()
    scratch = os.path.abspath(options.scratch)
    files = os.path.join(scratch, "files")
    shutil.rmtree(files, ignore_errors=True)
    os.makedirs(files)
    with open(os.path.join(files, "deep.mlir"), "w") as stream:
        stream.write("module attributes {\n  x = " + "[" * 100000 + "]" * 100000 + "\n} {}\n")
    with open(os.path.join(files, "good.mlir"), "w") as stream:
        stream.write(GOOD)
    for name, count in (("two-zeros", 2), ("four-zeros", 4)):
        with open(os.path.join(files, name + ".npy"), "wb") as stream:
            stream.write(bad_models.npy("<f4", (count,), bytes(4 * count)))

    cases = list(text_cases()) + list(bytecode_cases(files)) + list(onnx_cases(files))
    cases += list(tensor_cases(files)) + list(command_line_cases(files))
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    cases = [case for case in cases if options.only in case.name]

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, problems in zip(cases, pool.map(lambda case: run(case, scratch), cases)):
            if problems:
                failed += 1
                print("FAIL %s\n  %s" % (case.name, "\n  ".join(problems)))
    print("%d bad inputs, %d failed" % (len(cases), failed))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
