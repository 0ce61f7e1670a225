# SPDX-License-Identifier: Apache-2.0
"""Servers of streams that behave as a test says, and programs that are to be reached at a port."""
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(holds, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := holds()):
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


class Program:
    """A program that listens at `ports` by TCP, in a directory of its own, until the block ends."""

    def __init__(self, command, ports, room):
        self.command, self.ports, self.room = command, ports, room

    def __enter__(self):
        self.log = os.path.join(self.room, "log")
        with open(self.log, "ab") as log:
            self.run = subprocess.Popen(self.command, cwd=self.room, stdout=log, stderr=log)
        for port in self.ports:
            until(lambda: self.listens(port), 60)
        return self

    def listens(self, port):
        assert self.run.poll() is None, open(self.log, errors="replace").read()[-1000:]
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.run.send_signal(signal.SIGKILL)
        self.run.wait()


class Server:
    """Gives each connection to `behave`, with the number of the connection; TLS if `tls` says so."""

    def __init__(self, behave, tls=None):
        self.behave, self.context, self.connections = behave, None, 0
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls[0], tls[1])
            if len(tls) > 2:
                self.context.load_verify_locations(tls[2])
                self.context.verify_mode = ssl.CERT_REQUIRED
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, self.connections), daemon=True).start()

    def serve(self, connection, number):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.behave(connection, number)
        except (OSError, ValueError):
            pass
        connection.close()


def close(_connection, _number):
    pass


def reset(connection, _number):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(_connection, _number):
    time.sleep(60)


def flood(connection, _number):
    while True:
        connection.sendall(b"x" * 0x10000)
