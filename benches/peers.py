#!/usr/bin/env python3
"""mainstay beside other supervisors, each with the same N copies of tiny.c, one after the other in one run.

    python3 benches/peers.py [-n 100] [-k 20] [-r 3] [peer ...]

Peers: floor (bare posix_spawn, floor.c), mainstay, dinit, runit, s6, supervisord, circus, horust. Without names, all
that are installed. On Debian: apt-get install runit s6 supervisor; pip install circus; cargo install horust; dinit where
the distribution has it. `$MAINSTAY` names the program, else target/release/mainstay.

Each peer restarts a killed service at once where it can be told so; runit and s6 wait a second when a service has lived
for less than one, so services are first left alone for a while. One line of JSON for each peer, medians of -r runs:
  start_ms    from executing the supervisor to the last service's own first line
  restart_ms  from SIGKILL of a service to the first line of its successor, median of -k
  stop_ms     from the supervisor's stop signal until every service is gone
  pss_mib     memory of the supervisor and its helpers (one for each service in runit and s6), without the services
  processes   how many these are
  switches    how often their threads ran in five idle seconds
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SETTLE = 3.0  # what belongs to starting is over, and every service has lived for longer than a second
IDLE = 5.0
PATIENCE = 120.0


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


class Bench:
    """One folder with the compiled programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tiny, self.floor = folder / "tiny", folder / "floor"
        for program in (self.tiny, self.floor):
            subprocess.run(["cc", "-O2", "-static", "-o", program, HERE / f"{program.name}.c"], check=True)


# How each peer is told what to run: writes its files into `room`, answers its command line and environment.

def floor(bench, room, count, marks):
    return [str(bench.floor), str(count), str(bench.tiny), marks], {}


def mainstay(bench, room, count, marks):
    text = f'[runtime]\nstate_dir = "{room}/state"\nrun_dir = "{room}/run"\n'
    for name in names(count):
        text += f'[services.{name}]\ncommand = ["{bench.tiny}", "{marks}"]\nrestart = {{ backoff = "0s" }}\n'
    write(room / "c.toml", text)
    program = os.environ.get("MAINSTAY", str(HERE.parent / "target/release/mainstay"))
    return [program, "run", "--config", str(room / "c.toml")], {}


def dinit(bench, room, count, marks):
    boot = "type = internal\n"
    for name in names(count):
        write(room / "d" / name, f"type = process\ncommand = {bench.tiny} {marks}\nrestart = true\nrestart-delay = 0\n")
        boot += f"depends-on = {name}\n"
    write(room / "d/boot", boot)
    return ["dinit", "-d", str(room / "d"), "-p", str(room / "socket"), "boot"], {}


def run_scripts(bench, room, count, marks):
    for name in names(count):
        write(room / "sv" / name / "run", f"#!/bin/sh\nexec {bench.tiny} {marks}\n", 0o755)


def runit(bench, room, count, marks):
    run_scripts(bench, room, count, marks)
    return ["runsvdir", str(room / "sv")], {}


def s6(bench, room, count, marks):
    run_scripts(bench, room, count, marks)
    return ["s6-svscan", "-c", "4000", str(room / "sv")], {}


def supervisord(bench, room, count, marks):
    text = f"[supervisord]\nnodaemon=true\nlogfile={room}/log\npidfile={room}/pid\nuser=root\nminfds=8192\n"
    for name in names(count):
        text += f"[program:{name}]\ncommand={bench.tiny} {marks}\nautorestart=true\nstartsecs=0\n"
    write(room / "c.conf", text)
    return ["supervisord", "-n", "-c", str(room / "c.conf")], {}


def circus(bench, room, count, marks):
    text = f"[circus]\nendpoint=ipc://{room}/e\npubsub_endpoint=ipc://{room}/p\ncheck_delay=1\n"
    for name in names(count):
        text += f"[watcher:{name}]\ncmd={bench.tiny} {marks}\nwarmup_delay=0\n"
    write(room / "c.ini", text)
    return ["circusd", str(room / "c.ini")], {}


def horust(bench, room, count, marks):
    for name in names(count):
        text = f'command = "{bench.tiny} {marks}"\n[restart]\nstrategy = "always"\nbackoff = "0s"\n'
        write(room / "sv" / f"{name}.toml", text)
    return ["horust", "--services-path", str(room / "sv")], {"HORUST_LOG": "error"}


PEERS = dict(floor=floor, mainstay=mainstay, dinit=dinit, runit=runit, s6=s6, supervisord=supervisord, circus=circus,
             horust=horust)
PROGRAMS = dict(runit="runsvdir", s6="s6-svscan", circus="circusd")


def names(count):
    return [f"s{number:04d}" for number in range(count)]


# What the kernel says.

def marks_of(path):
    try:
        return [tuple(map(int, line.split())) for line in open(path) if line.endswith("\n")]
    except OSError:
        return []


def parents():
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
                found[int(entry)] = int(stat[stat.rindex(")") + 2:].split()[1])
            except (OSError, ValueError):
                pass  # it has ended meanwhile
    return found


def tree(root):
    children = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def runs(pid, program):
    try:
        return os.readlink(f"/proc/{pid}/exe") == str(program)
    except OSError:
        return False


def pss(pid):
    try:
        lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def switches(pids):
    total = 0
    for pid in pids:
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            try:
                total += sum(int(line.split()[1]) for line in status.read_text().splitlines() if "ctxt_switches" in line)
            except OSError:
                pass  # a thread that has ended
    return total


def wait_until(what, patience=PATIENCE, pause=0.001):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(pause)
    return False


# One run of one peer.

def measure(bench, peer, count, kills):
    room = Path(tempfile.mkdtemp(dir=bench.folder))
    marks = str(room / "marks")
    argv, extra = PEERS[peer](bench, room, count, marks)
    figures = {}
    begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    with open(room / "out", "w") as out:
        process = subprocess.Popen(argv, env={**os.environ, **extra}, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True)
    try:
        if not wait_until(lambda: len(marks_of(marks)) >= count, pause=0.005):
            raise SystemExit(f"{peer}: {len(marks_of(marks))} of {count} started\n{(room / 'out').read_text()[-500:]}")
        started = marks_of(marks)
        figures["start_ms"] = (max(when for when, _ in started) - begin) / 1e6
        time.sleep(SETTLE)
        helpers = [pid for pid in tree(process.pid) if not runs(pid, bench.tiny)]
        figures["processes"] = len(helpers)
        figures["pss_mib"] = sum(map(pss, helpers)) / 1024
        before = switches(helpers)
        time.sleep(IDLE)
        figures["switches"] = switches(helpers) - before
        if peer != "floor":
            figures["restart_ms"] = statistics.median(restarts(marks, started[:: max(1, count // kills)]))
        figures["stop_ms"] = stop(bench, peer, process)
    finally:
        for pid in tree(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass  # gone
        process.wait()
        shutil.rmtree(room, ignore_errors=True)
    return figures


def restarts(marks, victims):
    for _, pid in victims:
        before = len(marks_of(marks))
        begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.kill(pid, signal.SIGKILL)
        if wait_until(lambda: len(marks_of(marks)) > before, patience=15, pause=0.0005):
            yield (marks_of(marks)[-1][0] - begin) / 1e6
        else:
            yield 15000.0


def stop(bench, peer, process):
    services = [pid for pid in tree(process.pid) if runs(pid, bench.tiny)]
    begin = time.monotonic()
    process.send_signal(signal.SIGHUP if peer == "runit" else signal.SIGTERM)
    wait_until(lambda: not any(runs(pid, bench.tiny) for pid in services), patience=40)
    took = (time.monotonic() - begin) * 1000
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        pass  # s6-svscan waits for its supervisors; they are ended with it
    return took


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-n", type=int, default=100, help="services")
    arguments.add_argument("-k", type=int, default=20, help="services that are killed")
    arguments.add_argument("-r", type=int, default=3, help="runs, in turn")
    arguments.add_argument("peers", nargs="*", metavar="peer")
    chosen = arguments.parse_args()
    own = ("floor", "mainstay")
    peers = chosen.peers or [peer for peer in PEERS if peer in own or shutil.which(PROGRAMS.get(peer, peer))]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        runs_of = {peer: [] for peer in peers}
        for _ in range(chosen.r):
            for peer in peers:
                runs_of[peer].append(measure(bench, peer, chosen.n, chosen.k))
    for peer, found in runs_of.items():
        medians = {what: round(statistics.median(run[what] for run in found), 2) for what in found[0]}
        print(json.dumps({"peer": peer, "services": chosen.n, "runs": len(found), **medians}), flush=True)


if __name__ == "__main__":
    main()
