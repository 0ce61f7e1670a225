# SPDX-License-Identifier: Apache-2.0
"""Servers that answer as runtimes do, or as none should: CRI by gRPC, Docker's interface by HTTP, and worse."""
import concurrent.futures
import http.server
import json
import os
import socket
import socketserver
import threading
import urllib.parse

import grpc


# -- protobuf ---------------------------------------------------------------------------------------

def varint(number):
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def labels(number, pairs):
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in pairs.items())


def read_text(message):
    """The first field, of a request that has one text."""
    if not message:
        return ""
    size, at, shift = 0, 1, 0
    while True:
        size |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return message[at:at + size].decode()


def pod_labels(one):
    return {"io.kubernetes.container.name": one["name"], "io.kubernetes.pod.name": one["pod"],
            "io.kubernetes.pod.namespace": one["namespace"], "io.kubernetes.pod.uid": one["uid"],
            **one.get("labels", {})}


def container_status(one):
    return field(1, field(1, one["id"]) + field(2, field(1, one["name"])) + field(8, field(1, one["image"])) +
                 field(9, one["digest"]) + labels(12, pod_labels(one)))


def container(one):
    return field(1, field(1, one["id"]) + field(2, one.get("sandbox", "")) + field(3, field(1, one["name"])) +
                 field(4, field(1, one.get("listed", one["image"]))) + field(5, one["digest"]) + labels(8, pod_labels(one)))


def sandbox(one):
    return field(1, field(1, one["id"]) + field(2, field(1, one["pod"]) + field(2, one["uid"]) +
                                                field(3, one["namespace"])))


# -- CRI, and containerd's own ------------------------------------------------------------------------

class Gone(Exception):
    """The runtime knows no such container."""


class Unavailable(Exception):
    """The runtime leaves."""


class Cri(grpc.GenericRpcHandler):
    """Containers and pods by their ids; `calls` are the methods, as they came. `answer` may be replaced."""

    def __init__(self, path, containers=(), pods=(), native=()):
        self.path, self.calls = path, []
        self.containers = {one["id"]: one for one in containers}
        self.pods = {one["id"]: one for one in pods}
        self.native = {(one["in"], one["id"]): one for one in native}
        self.server = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[
            ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers((self,))
        assert self.server.add_insecure_port("unix:" + self.path)
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()

    def service(self, details):
        metadata = dict(details.invocation_metadata)

        def handle(request, context):
            self.calls.append(details.method.rsplit("/", 1)[1])
            try:
                return self.answer(details.method, request, metadata.get("containerd-namespace"))
            except Gone:
                context.abort(grpc.StatusCode.NOT_FOUND, "not found")
            except Unavailable:
                context.abort(grpc.StatusCode.UNAVAILABLE, "it leaves")
            except NotImplementedError:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, "unknown service")

        return grpc.unary_unary_rpc_method_handler(handle)

    def answer(self, method, request, namespace):
        service, name = method[1:].rsplit("/", 1)
        if service == "runtime.v1.RuntimeService":
            return getattr(self, name)(read_text(request))
        if service == "containerd.services.namespaces.v1.Namespaces":
            return b"".join(field(1, field(1, each)) for each in ["k8s.io", "moby"] + sorted({each for each, _ in self.native}))
        if service == "containerd.services.containers.v1.Containers":
            one = self.native.get((namespace, read_text(request)))
            if not one:
                raise Gone
            return field(1, field(1, one["id"]) + labels(2, one.get("labels", {})) + field(3, one["image"]))
        if service == "containerd.services.images.v1.Images":
            return field(1, field(1, read_text(request)) + field(3, field(2, "sha256:" + 64 * "b")))
        raise NotImplementedError

    def Version(self, _):
        return field(1, "0.1.0") + field(2, "containerd") + field(3, "1.6.20~ds1") + field(4, "v1")

    def ContainerStatus(self, name):
        if name not in self.containers:
            raise Gone
        return container_status(self.containers[name])

    def PodSandboxStatus(self, name):
        if name not in self.pods:
            raise Gone
        return sandbox(self.pods[name])

    def ListContainers(self, _):
        return b"".join(container(one) for one in self.containers.values())

    def ListPodSandbox(self, _):
        return b"".join(sandbox(one) for one in self.pods.values())


# -- Docker's interface ----------------------------------------------------------------------------------

class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Docker:
    """`raw`, where set, is what every answer's body is; `name` is what it calls itself."""

    name = "Docker/20.10.24 (linux)"

    def __init__(self, path, containers=()):
        self.path, self.calls, self.raw = path, [], None
        self.containers = list(containers)
        docker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def version_string(self):
                return docker.name

            def do_GET(self):
                docker.calls.append(self.path)
                body = docker.raw if docker.raw is not None else json.dumps(docker.answer(self.path)).encode()
                self.send_response(404 if body == b"null" else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except BrokenPipeError:
                    pass  # it has heard enough

            def address_string(self):
                return ""

            def log_message(self, *_):
                pass

        if os.path.exists(path):
            os.unlink(path)
        self.server = UnixServer(path, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, target):
        path, _, query = target.partition("?")
        if path.startswith("/images/"):
            return {"RepoTags": ["shop:1"], "RepoDigests": ["shop@sha256:" + 64 * "c"]}
        filters = json.loads(urllib.parse.parse_qs(query).get("filters", ["{}"])[0])
        assert path == "/containers/json", path
        return [one for one in self.containers if not filters or one["Id"].startswith(filters["id"][0])]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# -- who is neither ---------------------------------------------------------------------------------------

class Raw:
    """Listens, and gives each connection to `serve`."""

    def __init__(self, path, serve):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)
        self.kept = []
        threading.Thread(target=self.run, args=(serve,), daemon=True).start()

    def run(self, serve):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            self.kept.append(link)
            threading.Thread(target=self.guarded, args=(serve, link), daemon=True).start()

    def guarded(self, serve, link):
        try:
            serve(link)
        except OSError:
            pass  # it left

    def stop(self):
        self.socket.close()
