# SPDX-License-Identifier: Apache-2.0
"""A server of HTTP that answers each path as a test says, well or badly."""
import socket
import ssl
import threading


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path = target.split("?")[0]


def read_request(file):
    first = file.readline().decode().split()
    if len(first) < 3:
        return None
    headers = {}
    while (line := file.readline().decode().strip()):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers.get("content-length", 0)))
    return Request(first[0], first[1], headers, body)


def answer(status, body=b"", headers=()):
    """What sends an answer that is as it should be."""
    body = body.encode() if isinstance(body, str) else body

    def send(connection, _request):
        head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers, "", ""]
        connection.sendall("\r\n".join(head).encode() + body)
        return True
    return send


class Server:
    """`answers`: for a path, what answers; it returns whether the connection goes on."""

    def __init__(self, tls=None):
        self.answers, self.requests, self.connections = {}, [], 0
        self.context = None
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
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            file = connection.makefile("rb")
            while (request := read_request(file)):
                self.requests.append(request)
                known = self.answers.get(request.path)
                if isinstance(known, list):
                    known = known.pop(0) if len(known) > 1 else known[0]
                if not (known or answer(404))(connection, request):
                    break
        except (OSError, ValueError):
            pass
        connection.close()

    def url(self, path="/", scheme=None):
        return f"{scheme or ('https' if self.context else 'http')}://127.0.0.1:{self.port}{path}"
