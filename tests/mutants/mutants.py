#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants the faults of tests/mutants/list one at a time, and tells which their tests do not notice.

mutants.py [--only TEXT] [--seconds N] [--again] [--check]

Works in copies of the tree below build/mutants, side by side: for each fault a copy is built anew as
far as it has to be, and the one test that the row names is run. What was found is kept there by
content: a run that was ended goes on where it was, and only what changed since is tried again.
--only: rows that contain TEXT. --seconds: ends after so long, with exit status 1 when rows are left;
without it all are tried. --again: forgets what was found. --check: only looks whether each row's
text is in its file once and its test exists, and builds nothing. Exit status 1 when a fault survives,
a row is stale, or a test fails without a fault.
"""

import argparse
import collections
import contextlib
import filecmp
import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(TOP, "build", "mutants")
FOUND = os.path.join(WORK, "found")
BUILD_S, TEST_S, LIVE_TEST_S, COPIES_MAX, ROWS_A_COPY = 900, 45, 150, 4, 20
SOURCES = ("CMakeLists.txt", "cmake", "bpf", "plugin", "proto", "schemas", "tests", "docs",
           "examples", "packaging", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ci")
KERNEL, SPEAKING = threading.Lock(), threading.Lock()
RUNNING, TESTS = set(), {}


class Test:
    """unit/test_x:case, a program of the build; or script.py=program:case, a script of tests/."""

    def __init__(self, name):
        self.name = name
        self.program, _, self.case = name.partition(":")
        self.script, _, argument = self.program.rpartition("=")
        self.target = os.path.basename(argument)
        self.is_live = name.startswith("live/")
        self.limit_s = LIVE_TEST_S if self.is_live else TEST_S

    def command(self, copy):
        program = os.path.join(copy.build_dir, "tests", self.program.split("=")[-1])
        script = os.path.join(copy.tree, "tests", self.script)
        return ["/usr/bin/python3", script, program] if self.script else [program]

    def exists(self):
        group, _, program = self.program.partition("/")
        files = [os.path.join(TOP, "tests", self.script)] if self.script else \
            glob.glob(f"{TOP}/tests/{group}/**/{program}.c", recursive=True)
        for file in files:
            with open(file, encoding="utf-8") as text:
                if self.case.strip("*") in text.read():
                    return True
        return False

    def run(self, copy):
        """Returns "passed", "failed" or "skipped", and what failed."""
        environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
                           MRELEASE_TEST_FILTER=self.case or "*")
        with KERNEL if self.is_live else contextlib.nullcontext():
            start = time.monotonic()
            status, output = run(self.command(copy), self.limit_s, env=environment, cwd=copy.tree)
        self.took_s = time.monotonic() - start
        if status is None:
            return "failed", "it does not end"
        lines = output.splitlines()
        failed = [line.split(" - ", 1)[-1] for line in lines
                  if line.startswith("not ok") and "# SKIP" not in line]
        if status:
            return "failed", failed[0] if failed else f"exit status {status}"
        if any(line.startswith("ok") for line in lines if "# SKIP" not in line):
            return "passed", ""
        return ("skipped", "it cannot run here") if "# SKIP" in output else ("failed", "no such test")


class Row:
    def __init__(self, line):
        parts = [part.strip() for part in line.split(" :: ")]
        if len(parts) != 5 or not all(parts[:2] + parts[3:]):
            sys.exit(f"mutants: not FILE :: WHAT :: BY WHAT :: WHY :: TEST: {line}")
        self.line = line
        self.file, self.what, self.by, self.why, test = parts
        self.test = TESTS.setdefault(test, Test(test))

    def why_stale(self):
        try:
            with open(os.path.join(TOP, self.file), encoding="utf-8") as file:
                if file.read().count(self.what) != 1:
                    return f"'{self.what}' is not there once"
        except FileNotFoundError:
            return "there is no such file"
        return "" if self.test.exists() else f"there is no test {self.test.name}"

    def key(self, digest):
        text = "\0".join((digest, self.file, self.what, self.by, self.test.name))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def rows_of_the_list():
    with open(os.path.join(HERE, "list"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                # An empty column has one blank.
                yield Row(line.rstrip("\n").replace(" :: :: ", " ::  :: "))


def run(command, seconds, **options):
    """Returns the exit status and the output; None: it was killed, since it did not end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, text=True, errors="replace",
                               start_new_session=True, **options)
    RUNNING.add(process)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    finally:
        RUNNING.discard(process)


def end_all():
    for process in list(RUNNING):
        os.killpg(process.pid, signal.SIGKILL)


# -- the copies -----------------------------------------------------------------------------------


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


def digest_of(names):
    """Of what the builds and the tests see."""
    digest = hashlib.sha256()
    for name in names:
        if not name.startswith(("docs", "ci", "tests/mutants")):
            with open(os.path.join(TOP, name), "rb") as file:
                content = file.read()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class Copy:
    def __init__(self, number):
        self.tree = os.path.join(WORK, str(number), "tree")
        self.build_dir = os.path.join(WORK, str(number), "build")

    def renew(self, names):
        """Only what changed, so that little is built anew."""
        for name in names:
            path, target = os.path.join(TOP, name), os.path.join(self.tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target) or not filecmp.cmp(path, target, shallow=False):
                shutil.copyfile(path, target)
                shutil.copymode(path, target)
        for folder, _, files in os.walk(self.tree):
            for name in files:
                if os.path.relpath(os.path.join(folder, name), self.tree) not in names:
                    os.remove(os.path.join(folder, name))

    def configure(self):
        """Returns what is wrong, or nothing."""
        command = ["cmake", "-S", self.tree, "-B", self.build_dir, "-G", "Ninja",
                   "-DMRELEASE_TESTS=ON", "-DCMAKE_BUILD_TYPE=Debug",
                   "-DCMAKE_C_FLAGS_DEBUG=-O0", "-DCMAKE_CXX_FLAGS_DEBUG=-O1"]
        if shutil.which("ccache"):
            command += [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("C", "CXX")]
        headers = os.path.join(TOP, "build", "deps", "usr", "include")  # as ci/deps leaves them
        status, output = run(command, BUILD_S, env=dict(os.environ, CMAKE_INCLUDE_PATH=headers))
        return output if status else ""

    def build(self, tests):
        """Returns what is wrong, or nothing."""
        targets = sorted({test.target for test in tests})
        status, output = run(["cmake", "--build", self.build_dir, "--target", *targets], BUILD_S)
        return output if status else ""

    def try_row(self, row):
        """Returns ("caught" | "survived" | "stale" | "skipped", why)."""
        path = os.path.join(self.tree, row.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(row.what, row.by))
        try:
            output = self.build([row.test])
            if output:
                return "stale", "it does not build: " + next(
                    (line for line in output.splitlines() if "error" in line), output[-200:])
            verdict, why = row.test.run(self)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return {"failed": "caught", "passed": "survived"}.get(verdict, verdict), \
            f"{row.test.program}: {why}" if why else row.test.name


def beside(copies, work):
    """Does work(copy), for each copy in a thread of its own."""
    threads = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def share_out(jobs, copies, work):
    """Does work(copy, job) for all. The first copy takes the first jobs, the others the last."""
    left = collections.deque(jobs)

    def take(copy):
        while left:
            try:
                job = left.popleft() if copy is copies[0] else left.pop()
            except IndexError:  # another was sooner
                return
            work(copy, job)

    beside(copies, take)


# -- what was found -------------------------------------------------------------------------------


class Report:
    def __init__(self, digest):
        self.digest, self.counts = digest, collections.Counter()
        self.found = {}
        if os.path.exists(FOUND):
            with open(FOUND, encoding="utf-8") as file:
                for line in file:
                    key, verdict, text = line.rstrip("\n").split("\t", 2)
                    self.found[key] = (verdict, text)

    def keep(self, row, verdict, text):
        self.found[row.key(self.digest)] = (verdict, text)
        with SPEAKING, open(FOUND, "a", encoding="utf-8") as file:
            file.write(f"{row.key(self.digest)}\t{verdict}\t{text}\n")

    def tell(self, row, verdict, text, seconds=0.0):
        with SPEAKING:
            self.counts[verdict] += 1
            print(f"{verdict:9} {row.file}: {row.why} ({seconds:.1f} s; {text})", flush=True)


def prepare(copies, names, tests):
    wrong = []

    def work(copy):
        copy.renew(names)
        wrong.append(copy.configure() or copy.build(tests))

    beside(copies, work)
    for output in filter(None, wrong):
        sys.exit(f"mutants: without a fault it does not build:\n{output[-3000:]}")


def unsound(tests, copies):
    """Runs the tests without a fault. Returns those that fail, and why."""
    faults = {}

    def work(copy, test):
        for _ in range(2):  # a busy machine may spoil one
            verdict, why = test.run(copy)
            if verdict != "failed":
                test.limit_s = min(test.limit_s, 10 + 5 * test.took_s)
                return
        faults[test.name] = why

    share_out(tests, copies, work)
    return faults


def try_all(rows, names, report, end):
    """The first copy begins with those that wait for the kernel, the others with those that do not."""
    rows = sorted(rows, key=lambda row: not row.test.is_live)
    tests = list(dict.fromkeys(row.test for row in rows))
    count = min(COPIES_MAX, len(os.sched_getaffinity(0)), 1 + len(rows) // ROWS_A_COPY)
    copies = [Copy(number) for number in range(count)]
    prepare(copies, names, tests)
    faults = unsound(tests, copies)

    def work(copy, row):
        start = time.monotonic()
        if start > end:
            report.tell(row, "left", "there was no time")
        elif row.test.name in faults:
            report.tell(row, "unsound", f"{row.test.name} without a fault: {faults[row.test.name]}")
        else:
            verdict, text = copy.try_row(row)
            report.keep(row, verdict, text)
            report.tell(row, verdict, text, time.monotonic() - start)

    share_out(rows, copies, work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    os.makedirs(WORK, exist_ok=True)
    if options.again and os.path.exists(FOUND):
        os.remove(FOUND)

    names = files_of_the_tree()
    report, todo = Report(digest_of(names)), []
    for row in rows_of_the_list():
        if options.only not in row.line:
            continue
        stale = row.why_stale()
        if stale:
            report.tell(row, "stale", stale)
        elif options.check:
            continue
        elif row.key(report.digest) in report.found:
            report.tell(row, *report.found[row.key(report.digest)])
        else:
            todo.append(row)
    if todo:
        try:
            try_all(todo, names, report, end)
        finally:
            end_all()

    for word in ("unsound", "skipped", "left"):
        if report.counts[word]:
            print(f"{report.counts[word]} {word}")
    print("{caught} caught, {survived} survived, {stale} stale".format_map(report.counts),
          flush=True)
    return any(report.counts[word] for word in ("survived", "stale", "unsound", "left"))


if __name__ == "__main__":
    sys.exit(main())
