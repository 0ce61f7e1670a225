#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants the faults of tests/mutants/list one at a time, and tells which the tests do not notice.

mutants.py [--only TEXT] [--seconds N] [--again] [--check]

Works in a copy of the tree below build/mutants, which is built anew for each fault, as far as it
has to be. What was found is kept there by content: a run that was ended goes on where it was,
and only what changed since is tried again. --only: rows that contain TEXT. --seconds: ends after so long,
with exit status 1 when rows are left. --again: forgets what was found. --check: only looks whether
each row's text is in its file once, and builds nothing. Exit status 1 when a fault survives or a
row is stale.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(TOP, "build", "mutants")
TREE, BUILD, FOUND = (os.path.join(WORK, name) for name in ("tree", "build", "found"))
BUILD_S, TEST_S, LIVE_TEST_S = 900, 45, 150
SOURCES = ("CMakeLists.txt", "cmake", "bpf", "plugin", "proto", "schemas", "tests", "docs",
           "examples", "packaging", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ci")


class Row:
    def __init__(self, line):
        parts = [part.strip() for part in (line + " ").split(" :: ")]
        if len(parts) != 4 or not parts[1] or not parts[3]:
            sys.exit(f"mutants: not FILE :: WHAT :: BY WHAT :: WHY: {line}")
        self.file, self.what, self.by, self.why = parts

    def is_stale(self, top=TOP):
        try:
            with open(os.path.join(top, self.file), encoding="utf-8") as file:
                return file.read().count(self.what) != 1
        except FileNotFoundError:
            return True

    def plant(self):
        path = os.path.join(TREE, self.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(self.what, self.by))
        return path, text


def lines_of(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.strip() and not line.startswith("#"):
                # An empty column has one blank.
                yield line.replace(" :: :: ", " ::  :: ")


def run(command, seconds, **options):
    """Returns the exit status and the output; None: it was killed, since it did not end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except (subprocess.TimeoutExpired, KeyboardInterrupt) as end:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(end, KeyboardInterrupt):
            raise
        return None, ""


# -- the copy -------------------------------------------------------------------------------------


def files_of_the_tree():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP,
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = listed.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(folder, name), TOP)
                 for folder, _, names in os.walk(TOP) for name in names
                 if not os.path.relpath(folder, TOP).startswith(("build", ".git"))]
    return sorted(name for name in names
                  if name.startswith(SOURCES) and os.path.isfile(os.path.join(TOP, name)))


def copy_tree():
    """Only what changed, so that little is built anew. Returns a digest of what the builds see."""
    digest = hashlib.sha256()
    wanted = files_of_the_tree()
    for name in wanted:
        with open(os.path.join(TOP, name), "rb") as file:
            content = file.read()
        if not name.startswith(("docs", "ci", "tests/mutants")):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        target = os.path.join(TREE, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            with open(target, "rb") as file:
                if file.read() == content:
                    continue
        except FileNotFoundError:
            pass
        shutil.copyfile(os.path.join(TOP, name), target)
        shutil.copymode(os.path.join(TOP, name), target)
    for folder, _, names in os.walk(TREE):
        for name in names:
            if os.path.relpath(os.path.join(folder, name), TREE) not in wanted:
                os.remove(os.path.join(folder, name))
    return digest.hexdigest()


def configure():
    command = ["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DMRELEASE_TESTS=ON",
               "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0",
               "-DCMAKE_CXX_FLAGS_DEBUG=-O1"]
    if shutil.which("ccache"):
        command += ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"]
    status, output = run(command, BUILD_S)
    if status:
        sys.exit(f"mutants: the copy cannot be configured:\n{output}")


# -- tests ----------------------------------------------------------------------------------------


def build(tests):
    targets = [os.path.basename(test.split("=")[-1]) for test in tests]
    return run(["cmake", "--build", BUILD, "--target", *targets], BUILD_S)


def command_of(test):
    """A program of the build; or, as SCRIPT=PROGRAM, a script of tests/ that is given one."""
    script, _, program = test.partition("=")
    if not program:
        return [os.path.join(BUILD, "tests", test)]
    return ["/usr/bin/python3", os.path.join(TREE, "tests", script), os.path.join(BUILD, "tests", program)]


def fast_tests():
    """unit/test_… and schema/test_…, which are programs, of all that the build knows."""
    status, output = run(["ctest", "--test-dir", BUILD, "-N"], BUILD_S)
    names = [line.split(": ", 1)[1].strip() for line in output.splitlines()
             if ": " in line and "Test" in line]
    found = [name for name in names if name.startswith(("unit/test_", "schema/test_"))]
    if status or not found:
        sys.exit(f"mutants: ctest names no test of unit/ or schema/:\n{output}")
    return found


def plan_of(rows):
    plans = {}
    for row in rows:
        folder, *tests = row.split()
        plans[folder] = tests
    return plans


def likely_tests(plans, row):
    folder = os.path.dirname(row.file)
    while folder and folder not in plans:
        folder = os.path.dirname(folder)
    return plans.get(folder, [])


def who_notices(tests):
    """The first test that fails, or does not end; None: all pass."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    for test in tests:
        limit_s = LIVE_TEST_S if test.startswith("live/") else TEST_S
        status, output = run(command_of(test), limit_s, env=environment, cwd=TREE)
        if status is None:
            return test, "it does not end"
        if status:
            failed = [line.split(" - ", 1)[-1] for line in output.splitlines()
                      if line.startswith("not ok") and "# SKIP" not in line]
            return test, failed[0] if failed else f"exit status {status}"
        if test.startswith("live/") and "# SKIP" in output and "\nok" not in output:
            return None, "skipped"
    return None, ""


def must_pass(tests, sound):
    """Ends the program unless these tests pass without a fault; those in `sound` do."""
    tests = [test for test in tests if test not in sound]
    if not tests:
        return
    status, output = build(tests)
    if status:
        sys.exit(f"mutants: without a fault it does not build:\n{output[-3000:]}")
    test, why = who_notices(tests)
    if test:
        sys.exit(f"mutants: without a fault, {test} fails: {why}")
    sound.update(tests)


def try_row(row, plans, fast, sound):
    """Returns ("caught" | "survived" | "stale" | "skipped", by whom or why)."""
    likely = likely_tests(plans, row)
    rest = [test for test in fast if test not in likely]
    for tests in (likely, rest):
        if not tests:
            continue
        must_pass(tests, sound)
        path, text = row.plant()
        try:
            status, output = build(tests)
            if status:
                return "stale", "it does not build: " + next(
                    (line for line in output.splitlines() if "error" in line), output[-200:])
            test, why = who_notices(tests)
            if test:
                return "caught", f"{test}: {why}"
            if why:
                return "skipped", "the tests that could notice it cannot run here"
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return "survived", row.why


# -- what was found -------------------------------------------------------------------------------


def key_of(row, digest):
    return hashlib.sha256("\0".join((digest, row.file, row.what, row.by)).encode()).hexdigest()[:32]


def read_found():
    found = {}
    try:
        with open(FOUND, encoding="utf-8") as file:
            for line in file:
                key, verdict, text = line.rstrip("\n").split("\t", 2)
                found[key] = (verdict, text)
    except FileNotFoundError:
        pass
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds

    rows = [Row(line) for line in lines_of("list") if options.only in line]
    counts = {"caught": 0, "survived": 0, "stale": 0, "skipped": 0, "left": 0}
    tried = [row for row in rows if not row.is_stale()]
    for row in rows:
        if row not in tried:
            counts["stale"] += 1
            print(f"stale     {row.file}: '{row.what}' is not there once", flush=True)

    if not options.check:
        os.makedirs(TREE, exist_ok=True)
        if options.again and os.path.exists(FOUND):
            os.remove(FOUND)
        digest = copy_tree()
        configure()
        plans, fast, found = plan_of(lines_of("plan")), fast_tests(), read_found()
        sound = set()
        for row in tried:
            start = time.monotonic()
            verdict, text = found.get(key_of(row, digest), (None, ""))
            if not verdict and start > end:
                verdict, text = "left", "there was no time"
            elif not verdict:
                verdict, text = try_row(row, plans, fast, sound)
                with open(FOUND, "a", encoding="utf-8") as file:
                    file.write(f"{key_of(row, digest)}\t{verdict}\t{text}\n")
            counts[verdict] += 1
            print(f"{verdict:9} {row.file}: {row.why} ({time.monotonic() - start:.1f} s"
                  f"{'; ' + text if text != row.why else ''})", flush=True)

    for word in ("skipped", "left"):
        if counts[word]:
            print(f"{counts[word]} {word}")
    print(f"{counts['caught']} caught, {counts['survived']} survived, {counts['stale']} stale")
    return 1 if counts["survived"] or counts["stale"] or counts["left"] else 0


if __name__ == "__main__":
    sys.exit(main())
