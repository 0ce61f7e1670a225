# SPDX-License-Identifier: Apache-2.0
"""A sensor that serves metrics and health: the program is the first argument."""
import http.client
import socket
import tempfile

from sensor import Sensor


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


ROOM = tempfile.TemporaryDirectory()


class Served(Sensor):
    """A sensor that serves at a unix socket, or at `port` of this host."""

    def __init__(self, output="none", *more, port=None):
        self.port, self.socket = port, f"{ROOM.name}/http"
        super().__init__(output, "--http", f"127.0.0.1:{port}" if port else "unix:" + self.socket, *more)

    def ask(self, path, method="GET", **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10) if self.port else Unix(self.socket)
        link.request(method, path, headers=headers)
        answer = link.getresponse()
        body = answer.read().decode()
        link.close()
        return answer.status, answer.getheader("Content-Type"), body

    def metrics(self, accept=None):
        status, media, text = self.ask("/metrics", **({"Accept": accept} if accept else {}))
        assert status == 200, text
        return media, text


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
