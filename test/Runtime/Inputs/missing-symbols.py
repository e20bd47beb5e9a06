"""Lists the symbols of the first output of nm -D that the second one does not have."""
import sys


def symbols(path):
    with open(path) as file:
        return {line.split()[-1] for line in file if line.split()[-1] != "ROCR_1"}


theirs, ours = symbols(sys.argv[1]), symbols(sys.argv[2])
missing = sorted(theirs - ours)
print("%d symbols, %s missing" % (len(theirs), ", ".join(missing) or "none"))
