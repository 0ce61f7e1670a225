# SPDX-License-Identifier: Apache-2.0
"""What siem.py and scale.py measure: processes, with all that they started, and a recording that they are fed."""
import os
import subprocess

from sensor import LIBC, NAME, PROGRAM, children

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid):
    found = [pid]
    for child in children(pid):
        found += family(child)
    return found


def cpu_s(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            words = file.read().rsplit(") ", 1)[1].split()
        total += int(words[11]) + int(words[12])
    return total / TICKS


def anonymous_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    return total


def record(path, count, call=lambda number: LIBC.syscall(448, -1, number)):
    """A recording of what `call`, made `count` times, does; by default a process_mrelease that fails."""
    LIBC.prctl(15, NAME.encode())  # PR_SET_NAME: the scope of what is recorded
    run = subprocess.Popen([PROGRAM, "run", "--events", "process_mrelease,mlock,munlock", "--scope", f"comm={NAME}",
                            "--record", path, "--output", "none", "--ring", "256M", "--busy-ring", "256M"],
                           stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while "watching" not in said:
            said = run.stderr.readline()
            assert said, "no right to record"
        for number in range(count):
            call(number)
        run.send_signal(2)
        run.communicate(timeout=60)
    finally:
        run.kill()
