# SPDX-License-Identifier: Apache-2.0
"""The server under test, stubs made from proto/, and peers that speak HTTP/2 by hand."""
import contextlib
import ctypes
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
PROCESS_MRELEASE = 448
WAIT = 20

libc = ctypes.CDLL(None, use_errno=True)


def make_stubs(directory):
    """Makes and imports what grpc_tools makes of our files."""
    from grpc_tools import protoc
    proto = os.path.join(ROOT, "proto")
    files = glob.glob(proto + "/tracee/v1beta1/*.proto")
    if protoc.main(["protoc", "-I" + proto, "-I/usr/include", "--python_out=" + directory,
                    "--grpc_python_out=" + directory, *files]):
        sys.exit("protoc failed")
    sys.path.insert(0, directory)


def call(pidfd=-1, count=1):
    for _ in range(count):
        libc.syscall(PROCESS_MRELEASE, pidfd, 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_(condition, seconds=WAIT):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


def hand_over(listener):
    """The start of a command that finds a socket as systemd gives it: as descriptor 3."""
    if not listener:
        return []
    return ["bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=mrelease exec "$@" 3<&"$0"',
            str(listener.fileno())]


def take_name(name):
    """Names this thread, and those that it will start. Servers watch only callers of the name."""
    libc.prctl(15, name.encode())


def own_name():
    with open("/proc/thread-self/comm", encoding="utf-8") as comm:
        return comm.read().strip()


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            pids = [int(word) for word in children.read().split()]
    except OSError:
        return []
    return pids + [each for child in pids for each in descendants(child)]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def anonymous_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def is_sanitized(program):
    with open(program, "rb") as image:
        text = image.read()
    return b"__asan_init" in text or b"__tsan_init" in text


class Calls:
    """A child that makes `count` calls every `pause` seconds; ends with the block, and with us."""

    def __init__(self, count=1000, pause=0):
        self.process = subprocess.Popen([sys.executable, "-c", "import ctypes,time\nl=ctypes.CDLL(None)\nl.prctl(1,9)\n"
                                         f"l.prctl(15,b'{own_name()}')\n"
                                         f"while True:\n for _ in range({count}): l.syscall(448,-1,0)\n "
                                         f"time.sleep({pause})"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Server:
    """`mrelease run` with a gRPC output; ends with the block."""

    def __init__(self, program, *arguments, address=None, settings="", format="grpc", listener=None, preexec_fn=None, prefix=(), status=0):
        self.directory = tempfile.mkdtemp(prefix="mrelease-grpc.")
        self.path = os.path.join(self.directory, "s")
        self.address = address or "unix:" + self.path
        self.lines, self.prefix, self.status = [], prefix, status
        if "--scope" not in arguments and "--policy" not in arguments:
            arguments = (*arguments, "--scope", "comm=" + own_name())
        self.is_sanitized = is_sanitized(program)
        self.process = subprocess.Popen(
            [*prefix, *hand_over(listener), program, "run", "--output", f"{format}{settings}:{self.address}", *arguments],
            stderr=subprocess.PIPE, text=True, pass_fds=[listener.fileno()] if listener else [], preexec_fn=preexec_fn)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait_for("watching")

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def said(self, text):
        return any(text in line for line in self.lines)

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while not self.said(text):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no '{text}' in {self.lines}")
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Returns how long it took."""
        start = time.monotonic()
        if self.process.poll() is None:
            os.kill(self.child() if self.prefix else self.process.pid, signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise RuntimeError("the server does not end") from None
        took = time.monotonic() - start
        self.reader.join(5)  # what it said last
        if self.status not in (None, self.process.returncode) or self.said("Sanitizer"):
            raise RuntimeError("the server ended badly: " + "\n".join(self.lines))
        shutil.rmtree(self.directory, ignore_errors=True)
        return took

    def child(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return int(children.read().split()[0])

    def side(self, seconds=10):
        """The pid of the side program."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for pid in descendants(self.process.pid):
                if name_of(pid) == "grpc":
                    return pid
            time.sleep(0.01)
        raise RuntimeError(f"no side program: {self.lines}")

    def memory_kib(self):
        """Of the side program."""
        return anonymous_kib(self.side())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd")) + len(os.listdir(f"/proc/{self.side()}/fd"))

    def connect(self):
        if self.address.startswith("unix:"):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(self.path)
        else:
            host, port = self.address[len("tcp:"):].rsplit(":", 1)
            peer = socket.create_connection((host, int(port)))
        return peer


# -- HTTP/2 by hand --------------------------------------------------------------------------------

STREAM = b"/tracee.v1beta1.TraceeService/StreamEvents"


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def request(path, message, window=65535):
    """All that a client sends to call a method with one message: it then need not read."""
    headers = b"".join(literal(*pair) for pair in [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc")])
    settings = (4).to_bytes(2, "big") + window.to_bytes(4, "big")
    wide = frame(8, 0, 0, (window - 65535).to_bytes(4, "big")) if window > 65535 else b""
    data = b"\x00" + len(message).to_bytes(4, "big") + message
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings) + wide
            + frame(1, 4, 1, headers) + frame(0, 1, 1, data))


# -- Python's client -------------------------------------------------------------------------------

def stub(channel):
    from tracee.v1beta1 import tracee_pb2_grpc
    return tracee_pb2_grpc.TraceeServiceStub(channel)


def stream_of(channel, **fields):
    from tracee.v1beta1 import tracee_pb2
    return stub(channel).StreamEvents(tracee_pb2.StreamEventsRequest(**fields), timeout=120)


def open_stream(channel, **fields):
    """On a connection that is there: its handshake may take long, and nobody's events wait for it."""
    import grpc
    with contextlib.suppress(grpc.FutureTimeoutError):
        grpc.channel_ready_future(channel).result(5)
    return stream_of(channel, **fields)


def status_of(act):
    """The status that a call ends with, and its text."""
    import grpc
    try:
        act()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


def channel_to(it, credentials=None):
    import grpc
    address = it.address if it.address.startswith("unix:") else it.address[len("tcp:"):]
    options = [("grpc.enable_http_proxy", 0)]
    if credentials:
        return grpc.secure_channel(address, credentials, options=options)
    return grpc.insecure_channel(address, options=options)


def subscribed(_, count):
    """Waits until this many streams were surely opened."""
    time.sleep(0.2 + count * 0.002)


def pidfd_of(response):
    return next(value.int32 for value in response.event.data if value.name == "pidfd")


class FrameReader:
    """Reads a connection bit by bit, and answers pings, as every client has to."""

    def __init__(self, peer):
        self.peer, self.rest = peer, b""
        self.trailers = b""  # the headers at the end of a call: its status

    def read(self, size):
        """How many bytes were there; 0: the server has cut it."""
        try:
            data = self.peer.recv(size)
        except ConnectionError:
            return 0
        self.rest += data
        try:
            self.take_frames()
        except ConnectionError:
            return 0
        return len(data)

    def take_frames(self):
        while len(self.rest) >= 9 and len(self.rest) >= 9 + int.from_bytes(self.rest[:3], "big"):
            size = 9 + int.from_bytes(self.rest[:3], "big")
            kind, flags = self.rest[3], self.rest[4]
            if kind == 6 and not flags & 1:
                self.peer.sendall(frame(6, 1, 0, self.rest[9:size]))
            if kind == 1 and flags & 1:
                self.trailers = self.rest[9:size]
            self.rest = self.rest[size:]
