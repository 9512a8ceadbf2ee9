"""protobuf's Python classes of this checkout: after `generate` or `use`, `from loyalty.v1 import event_pb2` works."""
import pathlib
import subprocess
import sys


def generate(source, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    protos = sorted(str(path) for path in pathlib.Path(source).rglob("*.proto"))
    subprocess.run(["protoc", f"-I{source}", f"--python_out={folder}", *protos], check=True)
    use(folder)


def use(folder):
    sys.path.insert(0, str(folder))
