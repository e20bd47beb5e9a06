"""Damages the files of a cache: damage.py cut|flip FOLDER."""
import os
import sys

for name in os.listdir(sys.argv[2]):
    path = os.path.join(sys.argv[2], name)
    size = os.path.getsize(path)
    if size == 0:
        continue
    if sys.argv[1] == "cut":
        os.truncate(path, size // 2)
        continue
    with open(path, "r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)[0]
        file.seek(size // 2)
        file.write(bytes([byte ^ 1]))
