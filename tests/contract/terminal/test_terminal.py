#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What people see: tables in a terminal that is not ours (tmux), help, and a bar while something takes long.

usage: test_terminal.py PROGRAM
"""
import concurrent.futures
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import LIBC, NAME, PROGRAM, await_, run_tests  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="mrelease-terminal.")
LINE = b'{"timestamp":1,"eventName":"mlock"}\n'


# -- tmux ---------------------------------------------------------------------------------------------------

def tmux(*words):
    environment = {"PATH": os.environ["PATH"], "TERM": "screen", "LC_ALL": "C.UTF-8", "HOME": ROOM}
    return subprocess.run(["tmux", "-S", f"{ROOM}/tmux", "-f", "/dev/null", *words], env=environment,
                          capture_output=True, text=True, timeout=20, check=True).stdout


class Screen:
    """A program in a terminal of tmux; `lines` are what stands there, `whole` the same with what tmux broke joined."""

    def __init__(self, columns, rows, command):
        self.name = f"{columns}x{rows}-{time.monotonic_ns()}"
        tmux("new-session", "-d", "-s", self.name, "-x", str(columns), "-y", str(rows),
             f"{command}; echo exit status $?; exec sleep 60")

    def read(self, *how):
        text = tmux("capture-pane", "-p", "-t", self.name, "-S", "-", *how)
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def await_(self, word):
        assert await_(lambda: any(word in line for line in self.read()), 30), self.read()

    def end(self):
        self.await_("exit status")
        lines, whole = self.read(), self.read("-J")
        assert lines == whole, ("a line is longer than the screen", lines)
        return lines


def rows_of(lines):
    """The rows of the table, held against its titles."""
    titles = [line for line in lines if line.startswith("TIME")]
    rows = [line for line in lines if re.match(r"\d\d:\d\d:\d\d\.\d{6}  ?\w", line)]
    assert len(titles) == 1, lines
    begins = [titles[0].index(word) for word in ("USER", "COMM", "PID", "RESULT", "EVENT")]
    for row in rows:
        for begin in begins:
            assert row[begin - 1] == " " and row[begin] != " ", (titles[0], row)
    return rows


def hold_demo(columns, rows):
    lines = Screen(columns, rows, f"{PROGRAM} demo").end()
    text = " ".join(" ".join(lines).split())
    table = rows_of(lines)
    assert {row.split()[5] for row in table} == {"process_mrelease", "do_mrelease", "mlock"}, lines
    assert re.search(r"released \d+\.?\d* MiB of mrelease-victim \(pid \d+\), .*?s, reaped", text), lines
    # 3 and more: of a child that was gone before it could be asked for.
    assert re.search(r"[2-6] process_mrelease were seen, of which one had to fail, 1 do_mrelease", text), lines
    assert "Nothing was lost before it was read." in text and "Next: mrelease run" in text, lines
    assert lines[-1] == "exit status 0" and "{" not in text, lines
    assert any("CONTAINER" in line for line in lines) == (columns > 131)


def test_demo_is_a_table_that_fits_a_small_screen():
    hold_demo(80, 24)


def test_demo_is_a_table_that_fits_a_big_screen():
    hold_demo(200, 50)


def test_a_quiet_run_says_how_to_see_an_event():
    screens = [Screen(columns, rows, f"{PROGRAM} run --count 2 --scope comm={NAME}")
               for columns, rows in ((80, 24), (200, 50))]
    for screen in screens:
        screen.await_("to see one")
    for _ in range(2):
        LIBC.syscall(448, -1, 0)
    for screen in screens:
        lines = screen.end()
        assert [row.split()[4:6] for row in rows_of(lines)] == [["EBADF", "process_mrelease"]] * 2, lines
        assert "run 'mrelease demo' in another terminal" in " ".join(" ".join(lines).split()), lines


def test_a_table_follows_its_window():
    screen = Screen(80, 24, f"{PROGRAM} run --scope comm={NAME}")
    screen.await_("to see one")
    LIBC.syscall(448, -1, 0)
    screen.await_("EBADF")
    tmux("resize-window", "-t", screen.name, "-x", "140", "-y", "24")

    def call_and_look():  # tmux tells the program a moment later
        LIBC.syscall(448, -1, 0)
        return any("CONTAINER" in line for line in screen.read())
    assert await_(call_and_look, 10), screen.read()
    tmux("send-keys", "-t", screen.name, "C-c")
    screen.await_("exit status 0")
    lines, whole = screen.read(), screen.read("-J")
    assert lines == whole, ("a line is longer than the screen", lines)
    assert ["CONTAINER" in line for line in lines if line.startswith("TIME")] == [False, True], lines
    assert any(line.endswith("process_mrelease pidfd -1, flags 0") for line in lines), lines


# -- help ---------------------------------------------------------------------------------------------------

def verbs():
    said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    return re.findall(r"^  ([a-z-]+) ", said, re.M)


def test_help_of_every_verb_fits_eighty_columns_of_ascii():
    assert len(verbs()) > 10
    for words in [[], *[[verb] for verb in verbs()]]:
        said = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, check=True, timeout=20).stdout
        for line in said.decode("ascii").splitlines():
            assert len(line) <= 80, (words, line)


def test_help_of_the_demo_is_short():
    said = subprocess.run([PROGRAM, "demo", "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    assert len(said.splitlines()) < 40 and "'mrelease run --help'" in " ".join(said.split()), said


# -- a bar --------------------------------------------------------------------------------------------------

def in_terminal(words, columns=80, feed=None, **variables):
    """What a program writes to a terminal as its standard error; `feed` is given it while it runs."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment.update({"TERM": "xterm", **variables})
    run = subprocess.Popen([PROGRAM, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=its,
                           env=environment)
    os.close(its)
    if feed:
        feed(run)
    run.stdin.close()
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:
        pass  # how a terminal ends
    os.close(ours)
    run.wait(timeout=60)
    return said.decode()


def feed_slowly(run):
    for _ in range(3):
        run.stdin.write(LINE * 256)
        run.stdin.flush()
        time.sleep(0.25)


def hold_bar(said, words):
    shown = [part.split("\x1b[K")[0] for part in said.split("\r") if part.endswith("\x1b[K")]
    assert any(re.search(words, part) for part in shown), said
    assert all(len(part) < 80 for part in shown), said
    assert "\r\x1b[K" in said, ("it stays", said)


def test_explain_and_doctor_fit_the_screen():
    lines = Screen(80, 24, f"{PROGRAM} explain EINVAL; {PROGRAM} doctor --quick -q").end()
    assert "(process_mrelease)" in lines[0] and any("RUNG" in line for line in lines), lines


def test_what_takes_long_shows_how_far_it_is():
    hold_bar(in_terminal(["doctor", "--quick", "--rung", "raw_tp"]), r"\] ")
    hold_bar(in_terminal(["validate", "-"], feed=feed_slowly), "(256|512|768) lines")
    hold_bar(in_terminal(["verify", "-"], feed=feed_slowly), "(256|512|768) lines")


def test_no_bar_where_nobody_wants_one():
    def hold(verb, words, variables):
        said = in_terminal([verb, *words, "-"], feed=feed_slowly, **variables)
        assert "lines, " not in said and "\x1b" not in said, (verb, words, variables, said)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        held = [pool.submit(hold, verb, words, variables) for verb in ("validate", "verify")
                for words, variables in (([], {"TERM": "dumb"}), ([], {"CI": "true"}), (["-q"], {}))]
        for one in held:
            one.result()


def test_replay_shows_how_far_it_is_unless_its_table_is_there():
    capture = f"{ROOM}/capture"
    run = subprocess.Popen([PROGRAM, "run", "-e", f"process_mrelease.scope.comm={NAME}", "-o", "none", "--record",
                            capture], stderr=subprocess.PIPE, text=True)
    while "watching" not in run.stderr.readline():
        pass
    for number in range(50):
        LIBC.syscall(448, -1, number)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=20)
    with open(capture, "rb") as file:
        content = file.read()

    def feed(run):
        for at in range(0, len(content), len(content) // 4):
            run.stdin.write(content[at:at + len(content) // 4])
            run.stdin.flush()
            time.sleep(0.25)
    hold_bar(in_terminal(["replay", "-", "-o", f"json:{ROOM}/events"], feed=feed), " events, ")
    said = in_terminal(["replay", "-q", "-", "-o", f"json:{ROOM}/events"], feed=feed)
    assert " events, " not in said, said


def long_the_end_of_a_run_shows_how_much_is_left():
    pipe = f"{ROOM}/pipe"
    os.mkfifo(pipe)

    def read_slowly():
        with open(pipe, "rb", buffering=0) as file:
            while file.read(65536):
                time.sleep(0.02)

    def call_much(run):
        time.sleep(2)
        for _ in range(8000):
            LIBC.syscall(448, -1, 0)
        run.send_signal(signal.SIGINT)

    threading.Thread(target=read_slowly, daemon=True).start()
    hold_bar(in_terminal(["run", "-e", f"process_mrelease.scope.comm={NAME}", "-o", f"json,policy=block:{pipe}"],
                         feed=call_much), " events, ")


def test_who_has_no_standard_error_has_its_lines_in_no_file():
    """A file that is opened would be number 2, and have what is said."""
    capture = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../falco/captures/daemon_reaps.cap")
    for closed in ([2], [0, 1, 2]):
        path = f"{ROOM}/closed-{len(closed)}"
        done = subprocess.run([PROGRAM, "replay", capture, "--output", "json:" + path], timeout=60, check=False,
                              preexec_fn=lambda which=closed: [os.close(fd) for fd in which])
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        assert done.returncode == 0 and lines and all(line.startswith("{") for line in lines), lines


def at_end():
    subprocess.run(["tmux", "-S", f"{ROOM}/tmux", "kill-server"], capture_output=True, check=False)
    subprocess.run(["rm", "-r", ROOM], check=False)


run_tests(globals(), at_end)
