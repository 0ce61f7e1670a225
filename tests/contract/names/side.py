# SPDX-License-Identifier: Apache-2.0
"""The main process's end of the side program "names", written from side/common/message.h: the program alone."""
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time


def read_protocol():
    """The version, and the numbers of the types: others change with them."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../../plugin/side/common/message.h"), encoding="utf-8") as file:
        text = file.read()
    types = re.findall(r"^    MRL_SIDE_([A-Z]+)", text[text.index("enum mrl_side_type {"):text.index("MRL_SIDE_TYPES")], re.M)
    return int(re.search(r"#define MRL_SIDE_VERSION (\d+)", text)[1]), {name: number for number, name in enumerate(types, 1)}


VERSION, TYPES = read_protocol()
OPEN, PING, END, LOOKUP, OPENED, LOG, PONG, NAMED, LISTED = (
    TYPES[name] for name in ("OPEN", "PING", "END", "LOOKUP", "OPENED", "LOG", "PONG", "NAMED", "LISTED"))
RUNTIMES = ["", "containerd", "crio", "docker", "podman", "cri-dockerd", "cri"]
RESULTS = ["off", "pending", "known", "not_found", "runtime_down", "timeout", "queue_full"]
TEXTS = ["name", "image", "digest", "pod", "namespace", "uid"]
HEAD = struct.Struct("<HHIIIi")
NAMED_HEAD = struct.Struct("<I4B7HH")


class Side:
    """`sockets`: (RUNTIME, PATH); none: the usual ones."""

    def __init__(self, program, sockets=(), sandbox="on"):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link, self.log, self.named, self.is_listed = ours, [], [], False
        with tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", f"exec 3<&{theirs.fileno()}; exec {theirs.fileno()}<&-; exec \"$0\" serve {sandbox}", program],
                pass_fds=[theirs.fileno()], stderr=errors)
        theirs.close()
        options = b"".join(struct.pack("<i108s", RUNTIMES.index(runtime), path.encode()) for runtime, path in sockets)
        options = options.ljust(12 * 112, b"\0")
        self.send(OPEN, struct.pack("<IIQ", len(options), 0, 0) + options + b"\0" + b"names\0" + b"names\0")
        self.opened = self.until(lambda: self.open_error is not None)

    open_error = None

    def send(self, kind, payload=b"", count=0):
        self.link.send(HEAD.pack(VERSION, kind, len(payload), 0, count, 0) + payload)

    def ask(self, *ids, hint="", first=1):
        self.send(LOOKUP, b"".join(struct.pack("<II64s", first + i, RUNTIMES.index(hint), one.encode())
                                   for i, one in enumerate(ids)), len(ids))

    def hear(self, seconds):
        """One message; False: none came."""
        if not select.select([self.link], [], [], max(0, seconds))[0]:
            return False
        message = self.link.recv(1 << 16)
        assert message, f"it ended, {self.process.wait(5)}: " + "; ".join(self.log)
        _, kind, size, _, count, err = HEAD.unpack(message[:HEAD.size])
        payload = message[HEAD.size:]
        assert size == len(payload)
        if kind == OPENED:
            self.open_error = err
        elif kind == LOG:
            self.log.append(payload.decode())
        elif kind == NAMED:
            self.take_named(payload, count)
        elif kind == LISTED:
            assert not self.is_listed
            self.is_listed = True
        return kind

    def take_named(self, payload, count):
        at = 0
        for _ in range(count):
            ask, result, runtime, is_sandbox, cut, *sizes = NAMED_HEAD.unpack(payload[at:at + NAMED_HEAD.size])
            at += NAMED_HEAD.size
            texts = []
            for size in sizes[:7]:
                texts.append(payload[at:at + size].decode())
                at += size
            self.named.append({"ask": ask, "result": RESULTS[result], "runtime": RUNTIMES[runtime], "sandbox": is_sandbox,
                               "cut": cut, "id": texts[0], "at": time.monotonic(), **dict(zip(TEXTS, texts[1:]))})
        assert at == len(payload)

    def until(self, condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self.hear(end - time.monotonic())
        return condition()

    def of(self, name, asked=True):
        """What was said of a container."""
        return [one for one in self.named if one["id"] == name and (one["ask"] or not asked)]

    def result(self, name, seconds=10):
        """What is said of it next, having asked."""
        before = len(self.of(name))
        self.ask(name)
        assert self.until(lambda: len(self.of(name)) > before, seconds), (name, self.log)
        return self.of(name)[-1]

    def settle(self, seconds=10):
        assert self.until(lambda: self.is_listed, seconds), self.log
        return self

    def lives(self):
        """Whether it answers the main process; how long that took, in s."""
        begun = time.monotonic()
        self.send(PING)
        while self.hear(3) != PONG:
            assert time.monotonic() - begun < 3, "it hangs"
        return time.monotonic() - begun

    def memory_kib(self, what="RssAnon"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return [int(line.split()[1]) for line in file if line.startswith(what + ":")][0]

    def end(self):
        self.send(END)
        try:
            while self.hear(3) is not False:
                pass
        except (AssertionError, OSError):
            pass
        self.process.wait(timeout=5)
        self.link.close()
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.link.close()
