#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What befalls the side program of gRPC befalls nobody else.

usage: test_sides.py MRELEASE

Its deaths, and peers that take its memory; beside a file output, which must notice nothing. Prints TAP.
"""
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

import attacks
import server
import tap
from server import (Calls, Server, anonymous_kib, await_, call, channel_to, free_port, open_stream, own_name, pidfd_of,
                    subscribed)
from certificates import Certificates

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
LONG = bool(os.environ.get("MRELEASE_TEST_LONG"))
SECONDS = float(os.environ.get("ATTACK_SECONDS", "10" if LONG else "1.5"))
HEALTH = "2s" if LONG else "6s"  # beside other tests, a machine is busy
RATE, ROUNDS = 200000, 2 if LONG else 1
HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = os.path.join(os.path.dirname(PROGRAM), "../tests/calls")


class Beside:
    """A server with a file output beside it, whose lines have numbers."""

    def __init__(self, *arguments, queue=",queue=32M", **settings):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk is not what is tested
        self.directory = tempfile.TemporaryDirectory(prefix="mrelease-file.", dir=memory)
        self.read = self.seen = 0
        self.path = os.path.join(self.directory.name, "lines")
        self.it = Server(PROGRAM, "--output", f"json{queue}:{self.path}", "--extra", "seq", *arguments, **settings)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.it.process.kill()
        else:
            self.it.stop()
        self.directory.cleanup()

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def states(self, what):
        """The details of what the sensor said of itself."""
        got = []
        for line in self.lines():
            values = {argument["name"]: argument["value"] for argument in line["args"] or []}
            if line["eventName"] == "sensor_state" and values["what"] == what:
                got.append(values["detail"])
        return got

    def count(self):
        """Of all that were there since the start, in whole lines."""
        with open(self.path, "rb") as file:
            file.seek(self.read)
            while (block := file.read(1 << 24)):
                block = block[:block.rfind(b"\n") + 1]
                if not block:
                    break
                self.read += len(block)
                self.seen += block.count(b'"eventName":"process_mrelease"')
                file.seek(self.read)
        return self.seen

    def settled(self, wanted):
        """The count once it is that, or grows no more."""
        last, end = -1, 0
        while self.count() < wanted and (self.seen != last or time.monotonic() < end):
            end = time.monotonic() + 1 if self.seen != last else end
            last = self.seen
            time.sleep(0.05)
        return self.seen

    def verified(self):
        """What `verify` says of the file in the end."""
        return subprocess.run([PROGRAM, "verify", self.path], capture_output=True, text=True, timeout=120).stdout

    def health(self):
        """How long an answer took; None: refused, or there was no side program for a while."""
        start, side = time.monotonic(), self.current_side()
        done = subprocess.run([PROGRAM, "health", "--server", self.it.address, "--timeout", HEALTH], capture_output=True,
                              text=True, timeout=30)
        lived = side and side == self.current_side()
        assert done.returncode == 0 or not lived or "Deadline" not in done.stderr, done
        return time.monotonic() - start if done.stdout == "SERVING\n" else None

    def current_side(self):
        try:
            return self.it.side(0.01)
        except RuntimeError:
            return None

    def await_health(self, seconds):
        start = time.monotonic()
        while self.health() is None:
            assert time.monotonic() - start < seconds, self.it.lines
            time.sleep(0.02)
        return time.monotonic() - start


# -- rights ----------------------------------------------------------------------------------------

def status_of(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
        return {name: rest.strip() for name, _, rest in (line.partition(":") for line in status)}


def test_it_has_no_rights():
    """Not one of its threads; and the starter those alone that give a program its user, and end it."""
    with Server(PROGRAM) as it:
        pid = it.side()
        for thread in os.listdir(f"/proc/{pid}/task"):
            has = status_of(pid, thread)
            assert all(int(has[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")), has
            assert has["NoNewPrivs"] == "1" and (it.is_sanitized or has["Seccomp"] == "2"), has
            assert os.geteuid() or "0" not in has["Uid"].split(), has
        with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
            data = next(line.split()[4] for line in limits if line.startswith("Max data size"))
        assert it.is_sanitized or int(data) <= 112 << 20, data
        starter, = [each for each in server.descendants(it.process.pid) if server.name_of(each) == "mrelease-start"]
        has = status_of(starter, starter)
        kept = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8  # kill, setgid, setuid, setpcap
        assert int(has["CapPrm"], 16) & ~kept == 0 and has["NoNewPrivs"] == "1", has


def test_a_replay_has_no_rights():
    """Not one of its threads, though those that hear the side program may have begun before it gave up its rights."""
    with tempfile.TemporaryDirectory(prefix="mrelease-replay.") as room:
        path = os.path.join(room, "fifo")
        os.mkfifo(path)
        it = subprocess.Popen([PROGRAM, "replay", path, "--output", f"grpc:unix:{room}/s"], stderr=subprocess.DEVNULL)
        with open(path, "wb") as fifo:
            captures = os.path.join(HERE, "../falco/captures")
            with open(os.path.join(captures, sorted(os.listdir(captures))[0]), "rb") as capture:
                fifo.write(capture.read())
            fifo.flush()
            await_(lambda: status_of(it.pid, it.pid)["NoNewPrivs"] == "1")
            time.sleep(0.2)
            threads = os.listdir(f"/proc/{it.pid}/task")
            kept = [status_of(it.pid, thread)["CapEff"] for thread in threads]
        it.terminate()
        it.wait(20)
        assert len(kept) > 1 and set(kept) == {"0" * 16}, kept


def test_the_process_with_the_probes_maps_no_network_library():
    with Server(PROGRAM) as it, open(f"/proc/{it.process.pid}/maps", encoding="ascii") as maps:
        strange = [line for line in maps if any(word in line for word in ("grpc", "protobuf", "libssl", "libcrypto", "curl"))]
        assert not strange, strange


# -- deaths ----------------------------------------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def make_loop(pid):
    """Puts a jump to itself where the main thread will go on."""
    attach, detach, get_regs, poke = 16, 17, 12, 4
    registers = (ctypes.c_ulong * 27)()
    assert libc.ptrace(attach, pid, None, None) == 0, ctypes.get_errno()
    os.waitpid(pid, 0x40000000)
    assert libc.ptrace(get_regs, pid, None, ctypes.addressof(registers)) == 0
    assert libc.ptrace(poke, pid, registers[16], ctypes.c_void_p(0xfeeb)) == 0, ctypes.get_errno()
    libc.ptrace(detach, pid, None, None)


def dies(how, why, patience):
    """A client and a file live on; the death is told; the totals are exact."""
    with Beside() as beside:
        it = beside.it
        client = subprocess.Popen([PROGRAM, "stream", "--format", "json", "--server", it.address], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        assert "connected" in client.stderr.readline()
        subscribed(it, 1)
        call(-1)
        assert '"pidfd","type":"int","value":-1' in client.stdout.readline().replace(" ", "")
        first = it.side()
        how(first)
        with Calls(10, 0.01):
            await_(lambda: it.said("a side program has died"), patience)
            back = beside.await_health(3)
            assert it.side() != first
            while "connected" not in client.stderr.readline():
                pass
            time.sleep(0.3)
        time.sleep(0.3)
        call(-2)
        while '"value":-2}' not in client.stdout.readline():
            pass
        client.terminate()
        client.communicate(timeout=20)
        assert any(f"why={why}" in detail for detail in beside.states("side_died")), beside.states("side_died")
        print(f"# back after {back * 1000:.0f} ms")
        it.stop()
        assert not it.said("accounting") and it.said("0 dropped"), it.lines
        numbers = subprocess.run([PROGRAM, "verify", beside.path], capture_output=True, text=True, timeout=60)
        assert numbers.returncode == 0, numbers


def test_a_killed_one_comes_back_and_nobody_else_notices():
    dies(lambda pid: os.kill(pid, signal.SIGKILL), "signal 9", 5)


def test_a_stopped_one_is_ended():
    dies(lambda pid: os.kill(pid, signal.SIGSTOP), "hang", 60)


def test_the_end_waits_for_none_that_a_reload_awaits():
    """A configuration adds a program that is stopped before it has opened anything."""
    with tempfile.TemporaryDirectory(prefix="mrelease-reload.") as room:
        config = os.path.join(room, "config.yaml")

        def configure(*outputs):
            with open(config, "w", encoding="utf-8") as file:
                file.write("output:\n" + "".join(f"  - {output}\n" for output in outputs))

        configure(f"json:{room}/lines")
        it = subprocess.Popen([PROGRAM, "run", "--config", config], stderr=subprocess.PIPE, text=True)
        try:
            while "watching" not in (line := it.stderr.readline()):
                assert line
            configure(f"json:{room}/lines", f"json:webhook+http://127.0.0.1:{free_port()}/")
            it.send_signal(signal.SIGHUP)
            end, programs = time.monotonic() + 20, []
            while not programs:  # without a pause: it opens soon
                assert time.monotonic() < end
                programs = [pid for pid in server.descendants(it.pid) if server.name_of(pid) == "http"]
            os.kill(programs[0], signal.SIGSTOP)
            start = time.monotonic()
            it.terminate()
            it.wait(30)
            took = time.monotonic() - start
            print(f"# {took:.2f} s", flush=True)
            # Under a sanitizer, side programs have ten times as long for all that they do.
            assert took < (20 if server.is_sanitized(PROGRAM) else 5), took
        finally:
            it.kill()
            it.communicate()


def test_one_that_loops_is_ended():
    if os.uname().machine == "x86_64":
        dies(make_loop, "hang", 60)


def test_one_that_leaks_is_ended():
    """Its bound is lowered to what it has: the next buffers are too much."""
    with Beside("--sandbox", "off") as beside:
        if beside.it.is_sanitized:
            return
        pid = beside.it.side()
        resource.prlimit(pid, resource.RLIMIT_DATA, (1 << 20, 1 << 20))
        peers = []
        for _ in range(200):
            try:
                peer = beside.it.connect()
                peer.sendall(attacks.PREFACE + attacks.half_sent(0))
                peers.append(peer)
            except OSError:
                break
        await_(lambda: beside.it.said("a side program has died"))
        for peer in peers:
            peer.close()
        beside.await_health(5)


def test_one_that_dies_again_and_again_is_given_more_and_more_time():
    with Beside() as beside:
        gaps = []
        for number in range(5):
            pid = beside.it.side()
            os.kill(pid, signal.SIGKILL)
            start = time.monotonic()
            await_(lambda: sum("has died" in line for line in beside.it.lines) == number + 1)
            while beside.it.side() == pid:
                time.sleep(0.005)
            gaps.append(time.monotonic() - start)
        print("# " + ", ".join(f"{gap:.2f} s" for gap in gaps))
        assert gaps[0] < 1 and gaps[4] > 1.5, gaps


def test_side_programs_have_less_time_than_others_whatever_the_sensor_has():
    for niceness, wanted in ((0, 5), (-10, 5), (4, 9)):
        with Beside(preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, niceness)) as beside:
            assert os.getpriority(os.PRIO_PROCESS, beside.it.process.pid) == niceness
            assert os.getpriority(os.PRIO_PROCESS, beside.it.side()) == wanted, niceness


# -- attacks ---------------------------------------------------------------------------------------

def start_calls(seconds, rate):
    """A child that makes `rate` calls a second, if it gets the time, and then says how many in which time."""
    return subprocess.Popen([CALLS, own_name(), str(rate), str(seconds)], stdout=subprocess.PIPE, text=True)


def result_of(child):
    calls, seconds = child.communicate(timeout=60)[0].split()
    return int(calls), int(calls) / float(seconds)


class Attack:
    """Calls beside an attack on the server, or alone; and what was seen of the server meanwhile."""

    def __init__(self, beside, kind, seconds, rate):
        self.most, self.answers, before = 0, [], beside.count()
        attack = subprocess.Popen(["nice", "-n", "10", sys.executable, os.path.join(HERE, "attacks.py"), kind,
                                   beside.it.address, str(seconds)]) if kind else None
        child, end = start_calls(seconds, rate), time.monotonic() + seconds
        while attack and time.monotonic() < end:
            try:
                self.most = max(self.most, anonymous_kib(beside.it.side(1)))
            except (OSError, StopIteration, RuntimeError):
                pass  # it is being started again
            self.answers.append(beside.health())
            time.sleep(0.1)
        calls, self.rate = result_of(child)
        if attack:
            attack.wait()
        self.lost = calls - beside.settled(before + calls) + before


def as_the_unit_does():
    os.setpriority(os.PRIO_PROCESS, 0, -15)


def attacked(kind, address=None):
    for queue in (",queue=32M", "") if LONG else (",queue=32M",):  # beside other tests, a machine stalls
        attacked_with(kind, address, queue)


def attacked_with(kind, address, queue):
    """The file loses nothing and is as fast as without the attack, the main process does not grow, and the end comes soon."""
    with Beside(address=address, queue=queue, preexec_fn=as_the_unit_does) as beside:
        it, rate = beside.it, RATE
        before = anonymous_kib(it.process.pid)
        while (alone := Attack(beside, None, SECONDS / 3, rate)).lost and rate > 10000:
            rate //= 2  # it has not the whole machine
        phases = [(alone, Attack(beside, kind, SECONDS, rate))]
        while len(phases) < ROUNDS:
            beside.await_health(35)
            phases.append((Attack(beside, None, SECONDS / 3, rate), Attack(beside, kind, SECONDS, rate)))
        back = beside.await_health(35)
        deaths = sum("has died" in line for line in it.lines)
        grown = anonymous_kib(it.process.pid) - before
        it.status = None  # what the file lacks is said below
        took = it.stop()
        most = max(attack.most for _, attack in phases)
        answers = [answer for _, attack in phases for answer in attack.answers]
        slowest = max((answer for answer in answers if answer), default=0)
        lost = [sum(phase[i].lost for phase in phases) for i in range(2)]
        kept = max(attack.rate for _, attack in phases) / max(alone.rate for alone, _ in phases)
        print(f"# {kind}{queue}: {phases[0][0].rate / 1e3:.0f} k/s alone, {100 * kept:.1f} % of that attacked, {lost} lost, {deaths} "
              f"deaths, {most >> 10} MiB at most, {grown} KiB in the main process, {sum(1 for one in answers if one)} of "
              f"{len(answers)} answers, the slowest {slowest:.2f} s, back {back:.2f} s after, end {took:.2f} s", flush=True)
        assert it.is_sanitized or not lost[1], (lost, it.lines[-12:])
        assert not lost[1] or "unaccounted" not in beside.verified(), beside.verified()[-2000:]
        # The queues of the file (32 MiB at most) and of the server (8 MiB), and no more.
        assert it.is_sanitized or (most < 128 << 10 and grown < 48 << 10), (most, grown)
        assert it.is_sanitized or took < 2, took
        assert not LONG or kept >= 0.95, [(alone.rate, attack.rate) for alone, attack in phases]


@tap.alone
def test_rapid_resets():
    attacked("rapid_reset")


@tap.alone
def test_headers_without_end():
    attacked("continuation")


@tap.alone
def test_watchers_by_the_thousand():
    attacked("watch")


@tap.alone
def test_requests_that_do_not_come():
    attacked("half_sent")


@tap.alone
def test_pings_whose_answers_nobody_reads():
    attacked("pings", f"tcp:127.0.0.1:{free_port()}")


@tap.alone
def test_connections_of_tls_that_say_three_bytes():
    """CVE-2023-4785's shape: more of them than there are descriptors."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}", settings=files.settings(),
                                         preexec_fn=few if hard >= 1024 else None) as it:
        rounds, end = 0, time.monotonic() + SECONDS
        while rounds < 5 or time.monotonic() < end:
            rounds += 1
            peers = []
            for _ in range(500):
                try:
                    peer = it.connect()
                    peer.sendall(b"\x16\x03\x01")
                    peers.append(peer)
                except OSError:
                    break
            for peer in peers:
                peer.close()
        with channel_to(it, files.credentials()) as channel:
            stream = open_stream(channel)
            subscribed(it, 1)
            call(-3)
            assert pidfd_of(next(stream)) == -3
        print(f"# {500 * rounds} connections of three bytes", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        tap.run(globals(), PROGRAM)
