# SPDX-License-Identifier: Apache-2.0
"""Cgroups made by hand, of the hierarchy by which events number them: v2, or v1's cpuset."""
import os
import subprocess

from sensor import Skipped

made = []


def find_root():
    """(its directory, whether it is cpuset's)"""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    if any(mount[1] == "/sys/fs/cgroup" and mount[2] == "cgroup2" for mount in mounts):
        return "/sys/fs/cgroup", False
    for mount in mounts:
        if mount[2] == "cgroup" and "cpuset" in mount[3].split(","):
            return mount[1], True
    raise Skipped("no hierarchy of cgroups is mounted")


def make(*names):
    """Makes each within the one before, and returns the path of the last."""
    path, is_cpuset = find_root()
    for name in names:
        parent, path = path, f"{path}/{name}"
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        except OSError as error:
            raise Skipped(f"no cgroup can be made: {error}") from error
        made.append(path)
        for file in ("cpuset.cpus", "cpuset.mems") if is_cpuset else ():
            with open(f"{parent}/{file}", encoding="ascii") as source, open(f"{path}/{file}", "w", encoding="ascii") as target:
                target.write(source.read())
    return path


def run_in(path, *command):
    subprocess.run(["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', path, *command], check=True, stdout=subprocess.DEVNULL)


def remove_all():
    while made:
        try:
            os.rmdir(made.pop())
        except OSError:
            pass  # somebody else's is in it
