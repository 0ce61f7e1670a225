#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records captures/*.cap anew: what the rules of examples/falco are held against.

usage: scenes.py MRELEASE [SCENE...]

Each scene makes real calls while MRELEASE records them. A caller plays its part under the name and
the path of the program that it stands for: it is a copy of the interpreter, in a mount namespace
and with a host name of its own. Needs root and CAP_BPF.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "captures")
STAGE = "/usr/local/bin"  # a tmpfs of this mount namespace
HOST_NAME = "node"
PROCESS_MRELEASE, MLOCK, MLOCK2, MLOCKALL = 448, 149, 325, 151  # x86-64
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
CLONE_NEWNS, CLONE_NEWUTS, MS_REC, MS_PRIVATE = 0x20000, 0x04000000, 0x4000, 1 << 18
SMALL = 64 << 10
SLEEP, AGENT = "/usr/bin/sleep", os.path.join(STAGE, "falco")
TRIES = 8

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """Returns 0 or -errno."""
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return result if result >= 0 else -ctypes.get_errno()


def expect(result, *wanted):
    if result not in wanted:
        sys.exit(f"scenes.py: a call returned {result}, not {wanted}")


# -- victims ---------------------------------------------------------------------------------------

def start_victim(program, uid):
    """A sleeping process that is run only when this CPU has nothing better to do."""
    def become():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.setresuid(uid, uid, uid)

    victim = subprocess.Popen([program, "60"], preexec_fn=become)
    while state_of(victim.pid) != "S":
        time.sleep(0.01)
    return victim


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def reap(program=SLEEP, uid=0, caller_uid=0, before_call=lambda: None):
    """A victim is killed, and released before it can drop its memory by itself."""
    victim = start_victim(program, uid)
    pidfd = os.pidfd_open(victim.pid)
    before_call()
    os.kill(victim.pid, signal.SIGKILL)
    if caller_uid:
        os.setresuid(caller_uid, caller_uid, caller_uid)
    result = call(PROCESS_MRELEASE, pidfd, 0)
    victim.wait()
    expect(result, 0)


def enter(directory):
    with open(os.path.join(directory, "cgroup.procs"), "w", encoding="ascii") as procs:
        procs.write(str(os.getpid()))


def reap_from(directory):
    reap(before_call=lambda: enter(directory))


def reap_inside(directory):
    enter(directory)
    reap()


# -- seccomp ---------------------------------------------------------------------------------------

class Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]


def block(number, answer):
    """From now on a filter answers this call."""
    code = (Filter * 4)(Filter(0x20, 0, 0, 0),               # load the number
                        Filter(0x15, 0, 1, number),          # equal?
                        Filter(0x06, 0, 0, 0x50000 | answer),  # SECCOMP_RET_ERRNO
                        Filter(0x06, 0, 0, 0x7FFF0000))      # SECCOMP_RET_ALLOW
    program = Program(4, code)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        sys.exit("scenes.py: the filter was refused")


# -- what the callers do ---------------------------------------------------------------------------

def fail(times, pause, descriptor=1000, answer=-9):
    """Calls with a descriptor that is none, or of no use."""
    for _ in range(times):
        expect(call(PROCESS_MRELEASE, descriptor, 0), answer)
        time.sleep(pause)


def fail_with_a_gone_process(times):
    gone = subprocess.Popen([SLEEP, "0"])
    pidfd = os.pidfd_open(gone.pid)
    gone.wait()
    fail(times, 0, pidfd, -3)


def try_living(program, uid=0, caller_uid=0, times=1):
    living = start_victim(program, uid)
    os.setresuid(caller_uid, caller_uid, 0)
    fail(times, 0, os.pidfd_open(living.pid), -22)
    os.setresuid(0, 0, 0)
    living.kill()
    living.wait()


def flood():
    """More than the smallest ring holds, while nobody reads it."""
    os.kill(int(os.environ["RECORDER"]), signal.SIGSTOP)
    fail(60, 0)
    os.kill(int(os.environ["RECORDER"]), signal.SIGCONT)


def call_blocked():
    block(PROCESS_MRELEASE, 1)
    expect(call(PROCESS_MRELEASE, 1000, 0), -1)


def call_with_flags(flags, answer):
    expect(call(PROCESS_MRELEASE, 1000, flags), answer)


def lock_some(number=MLOCK):
    memory = ctypes.create_string_buffer(SMALL)
    expect(call(number, ctypes.addressof(memory), SMALL, 0), 0)


def lock_nothing(times=1):
    for _ in range(times):
        expect(call(MLOCK, 0, SMALL), -12)


def lock_all():
    expect(call(MLOCKALL, 1), 0)


CGROUPS = "/sys/fs/cgroup"
if os.path.isdir(CGROUPS + "/cpuset"):  # the hierarchy that cgroupId is of, on hosts with v1
    CGROUPS += "/cpuset"
CONTAINER = CGROUPS + "/docker-" + "5ca1ab1e" * 8 + ".scope"

# scene: (program that calls, what it does)
SCENES = {
    "daemon_reaps": ("earlyoom", lambda: reap()),
    "stranger_reaps": ("tool", lambda: reap()),
    "stranger_reaps_own": ("tool", lambda: reap(SLEEP, 2000, 2000)),
    "stranger_reaps_another_user": ("tool", lambda: reap(SLEEP, 2001, 2000)),
    "root_reaps_another_user": ("tool", lambda: reap(SLEEP, 2001)),
    "stranger_tries_living_agent": ("tool", lambda: try_living(AGENT)),
    "stranger_tries_living_process": ("tool", lambda: try_living(SLEEP)),
    "stranger_tries_another_user": ("tool", lambda: try_living(SLEEP, 2001, 2000)),
    "daemon_reaps_another_user": ("earlyoom", lambda: reap(SLEEP, 2001, 2000)),
    "daemon_reaps_agent": ("earlyoom", lambda: reap(AGENT)),
    "container_reaps_outside": ("tool", lambda: reap_from(CONTAINER)),
    "container_reaps_inside": ("tool", lambda: reap_inside(CONTAINER)),
    "container_imitates_daemon": ("earlyoom", lambda: reap_inside(CONTAINER)),
    "call_is_blocked": ("tool", call_blocked),
    "bad_descriptor": ("tool", lambda: fail(1, 0)),
    "slow_failures": ("tool", lambda: fail(102, 0.015)),
    "just_below_a_storm": ("tool", lambda: fail(99, 0)),
    "storm_of_failures": ("tool", lambda: fail(150, 0)),
    "storm_of_gone_processes": ("tool", lambda: fail_with_a_gone_process(101)),
    "storm_of_living_processes": ("tool", lambda: try_living(SLEEP, times=101)),
    "storm_of_failing_locks": ("tool", lambda: lock_nothing(101)),
    "events_are_lost": ("tool", flood),
    "reserved_flags": ("tool", lambda: call_with_flags(1, -22)),
    "stranger_locks": ("tool", lock_some),
    "stranger_locks_by_mlock2": ("tool", lambda: lock_some(MLOCK2)),
    "stranger_fails_to_lock": ("tool", lock_nothing),
    "stranger_locks_all": ("tool", lock_all),
    "keeper_locks": ("gpg-agent", lock_some),
    "caller_forges_a_line": ("x\n12:00:00.0: Critical Fake alert (caller=sshd", reap),
}


# -- the stage -------------------------------------------------------------------------------------

def build_stage():
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS):
        sys.exit("scenes.py: namespaces need root")
    libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", STAGE], check=True)
    libc.sethostname(HOST_NAME.encode(), len(HOST_NAME))
    for caller in {program for program, _ in SCENES.values()}:
        shutil.copy(os.path.realpath(sys.executable), os.path.join(STAGE, caller))
    shutil.copy(SLEEP, AGENT)
    shutil.copy(os.path.abspath(__file__), os.path.join(STAGE, "scenes.py"))


def build_container():
    """As a container runtime names it. A v1 cpuset takes no process without processors."""
    os.makedirs(CONTAINER, exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems") if CGROUPS.endswith("cpuset") else ():
        with open(os.path.join(CGROUPS, name), encoding="ascii") as parent:
            value = parent.read()
        with open(os.path.join(CONTAINER, name), "w", encoding="ascii") as own:
            own.write(value)


def play(name):
    """Runs in the copy of the interpreter."""
    os.sched_setaffinity(0, {0})
    SCENES[name][1]()


def perform(name, recorder):
    """The callers run away from the CPU of the recorder; a lost race is tried once more."""
    program = os.path.join(STAGE, SCENES[name][0])
    return subprocess.run([program, os.path.join(STAGE, "scenes.py"), "--play", name], cwd="/",
                          env={"PYTHONPATH": ":".join(filter(None, sys.path[1:])),
                               "PYTHONDONTWRITEBYTECODE": "1",
                               "RECORDER": str(recorder.pid)}).returncode


def record(mrelease, name):
    path = os.path.join(CAPTURES, name + ".cap")
    if os.path.exists(path):
        os.unlink(path)
    recorder = subprocess.Popen(
        [mrelease, "run", "--events", "process_mrelease,do_mrelease,mlock*", "--coverage", "all",
         "--scope", f"mntns={os.stat('/proc/self/ns/mnt').st_ino}",
         "--ring", "4K" if SCENES[name][1] is flood else "8M",
         "--extra", "target,bytes,outcome,time,mlock,exe", "--output", "none", "--record", path],
        stderr=subprocess.PIPE, text=True)
    try:
        line = recorder.stderr.readline()
        if "watching" not in line:
            sys.exit(line.strip())
        status = perform(name, recorder)
        time.sleep(0.3)
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.communicate()
    return status == 0 and recorder.returncode == 0


def main():
    if sys.argv[1:2] == ["--play"]:
        return play(sys.argv[2])
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(CAPTURES, exist_ok=True)
    build_stage()
    build_container()
    try:
        for name in sys.argv[2:] or SCENES:
            if name not in SCENES:
                sys.exit(f"scenes.py: unknown scene '{name}'")
            if not any(record(sys.argv[1], name) for _ in range(TRIES)):
                sys.exit(f"scenes.py: {name} could not be played")
            print(name)
    finally:
        os.rmdir(CONTAINER)


if __name__ == "__main__":
    main()
