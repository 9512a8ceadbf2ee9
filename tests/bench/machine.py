"""What the machine is and what processes cost on it, from /proc and from the programs' own --version."""
import os
import platform
import re
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """Parent, and user, system, children's user and children's system ticks."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[1]), [int(ticks) for ticks in fields[11:15]]


def cpu_seconds(pid):
    """CPU time of a process so far: all its threads, its children that ended, and those that live."""
    total = sum(stat_fields(pid)[1])
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            parent, ticks = stat_fields(name)
        except OSError:
            continue  # it ended meanwhile
        if parent == pid:
            total += sum(ticks)
    return total / TICK


def machine_busy_seconds():
    """CPU time of everything on the machine, with what its host took away (steal)."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def memory_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+)", file.read()))
    return {"resident": round(int(found["VmRSS"]) / 1024, 1), "peak": round(int(found["VmHWM"]) / 1024, 1)}


class Meter:
    """CPU time of named processes between start() and stop(), beside everything else on the machine.

    What this program used includes its children that ended meanwhile."""

    def __init__(self, pids):
        self.pids = dict(pids)

    def sample(self):
        return {"at": time.monotonic(), "machine": machine_busy_seconds(), "bench": sum(os.times()[:4]),
                **{name: cpu_seconds(pid) for name, pid in self.pids.items()}}

    def start(self):
        self.first = self.sample()

    def add(self, name, pid):
        """A process that began after start(): all it has used counts."""
        self.pids[name] = pid
        self.first[name] = 0.0

    def stop(self):
        """CPU seconds by name; `others`: share of the machine that was neither measured nor this program."""
        last = self.sample()
        used = {name: last[name] - self.first[name] for name in self.pids}
        wall = last["at"] - self.first["at"]
        known = sum(used.values()) + last["bench"] - self.first["bench"]
        others = max(0.0, last["machine"] - self.first["machine"] - known)
        return used, round(others / (wall * os.cpu_count()), 3)


def first_line(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True)
    except OSError:
        return None
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else None


def git(root, *arguments):
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def cpu_model():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def os_name():
    with open("/etc/os-release") as file:
        found = re.search(r'^PRETTY_NAME="(.*)"$', file.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def writeback_seconds():
    """How long the kernel keeps what was written to files before it gives it to the disk (vm.dirty_expire_centisecs), and
    how often it looks (vm.dirty_writeback_centisecs)."""
    def setting(name):
        with open(f"/proc/sys/vm/{name}") as file:
            return int(file.read()) / 100
    return {"expire": setting("dirty_expire_centisecs"), "look": setting("dirty_writeback_centisecs")}


def describe(root, disk):
    """Where a measurement was made. `disk`: the folder that PostgreSQL's data lie in."""
    with open("/proc/meminfo") as file:
        memory_kib = int(re.search(r"^MemTotal:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return {"cores": os.cpu_count(), "model": cpu_model(), "memory_gib": round(memory_kib / (1 << 20), 1),
            "kernel": platform.release(), "os": os_name(), "disk": first_line("stat", "-f", "-c", "%T", str(disk)), "writeback_seconds": writeback_seconds(),
            "load_at_start": round(os.getloadavg()[0], 2), "python": sys.version.split()[0],
            "commit": git(root, "rev-parse", "HEAD"), "dirty": bool(git(root, "status", "--porcelain", "-uno"))}
