"""Checks that each ```mlir example of an ODS file stands in a test that parses it.

usage: doc-examples.py OPS.td TEST.mlir…
"""
import re
import sys


def normalise(text):
    """Without the names of values and white space: those are the test's business."""
    text = re.sub(r"%\w+", "%", text)
    return re.sub(r"\s+", "", text.replace("% = ", ""))


def main(ods_path, *test_paths):
    ods = open(ods_path, encoding="utf-8").read()
    code = ""
    for test_path in test_paths:
        test = open(test_path, encoding="utf-8").read()
        code += "\n".join(line for line in test.splitlines() if not line.lstrip().startswith("//"))
    parsed = normalise(code)
    definitions = re.split(r"^def (\w+Op) ", ods, flags=re.M)[1:]
    missing = []
    for name, body in zip(definitions[::2], definitions[1::2]):
        examples = re.findall(r"```mlir\n(.*?)```", body, flags=re.S)
        if not examples:
            missing.append(f"{name}: has no example")
        for example in examples:
            if normalise(example) not in parsed:
                missing.append(f"{name}: no test parses {example.strip()}")
    for line in missing:
        print(f"error: {line}", file=sys.stderr)
    if not definitions:
        sys.exit(f"error: {ods_path} defines no op")
    sys.exit(1 if missing else 0)


main(*sys.argv[1:])
