"""Writes compile_commands.json for editors and clang-tidy: compile_commands.py "CC FLAGS" """
import json
import os
import pathlib
import shlex
import sys

command = [w for w in shlex.split(sys.argv[1]) if w not in ("-MMD", "-MP", "-Werror")]
files = sorted(str(p) for room in ("services", "tests") for p in pathlib.Path(room).rglob("*.c"))
json.dump([{"directory": os.getcwd(), "file": f, "arguments": command + ["-c", f]} for f in files], sys.stdout, indent=1)
