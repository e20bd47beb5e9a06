"""Lists the symbols of the first output of nm -D that the second one does not have."""
import sys


def symbols(path):
    with open(path) as file:
        names = {line.split()[-1] for line in file}
    return {name for name in names if not name.startswith("ROCR_1")}  # that is the version itself


theirs, ours = symbols(sys.argv[1]), symbols(sys.argv[2])
missing = sorted(theirs - ours)
print("%d symbols, %s missing" % (len(theirs), ", ".join(missing) or "none"))
