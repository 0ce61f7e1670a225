# SPDX-License-Identifier: Apache-2.0
"""Real runtimes from Debian's packages, each with its own folder, socket and state, and images made here: no registry is
asked. Containers run a program that is linked statically, and is all that is in their image."""
import hashlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time

import grpc
from runtimes import field, labels, read_text, varint

IMAGE = "localhost/one-call:1"


def missing(*programs):
    return [one for one in programs if not shutil.which(one, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]


# -- images -----------------------------------------------------------------------------------------------

def add(tar, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


def digest(data):
    return hashlib.sha256(data).hexdigest()


def make_image(path, programs, name=IMAGE, command=("/one_call",)):
    """An archive that is OCI's layout, and Docker's as well."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for each in programs:
            with open(each, "rb") as file:
                add(tar, os.path.basename(each), file.read(), 0o755)
        for folder in ("tmp", "proc", "sys", "dev", "etc"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
    layer = layer.getvalue()
    config = json.dumps({"architecture": "amd64" if os.uname().machine == "x86_64" else "arm64", "os": "linux",
                         "config": {"Cmd": list(command)}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer)]}
                         }).encode()
    kind = "application/vnd.oci.image."
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                           "config": {"mediaType": kind + "config.v1+json", "digest": "sha256:" + digest(config), "size": len(config)},
                           "layers": [{"mediaType": kind + "layer.v1.tar", "digest": "sha256:" + digest(layer), "size": len(layer)}]
                           }).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": kind + "manifest.v1+json", "digest": "sha256:" + digest(manifest), "size": len(manifest),
         "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}}]}).encode()
    with tarfile.open(path, "w") as tar:
        add(tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        add(tar, "index.json", index)
        for blob in (layer, config, manifest):
            add(tar, "blobs/sha256/" + digest(blob), blob)
        add(tar, "manifest.json", json.dumps([{"Config": "blobs/sha256/" + digest(config), "RepoTags": [name],
                                               "Layers": ["blobs/sha256/" + digest(layer)]}]).encode())
    return path


# -- daemons ----------------------------------------------------------------------------------------------

class Daemon:
    """Starts it, and waits for its socket."""

    def __init__(self, room, name):
        self.room = os.path.join(room, name)
        os.makedirs(self.room, exist_ok=True)
        self.socket, self.process = self.at("socket"), None

    def at(self, name):
        return os.path.join(self.room, name)

    def command(self):
        raise NotImplementedError

    def start(self, seconds=30):
        with open(self.at("log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        end = time.monotonic() + seconds
        while not self.answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)
        return self

    def answers(self):
        with socket.socket(socket.AF_UNIX) as one:
            return not one.connect_ex(self.socket)

    def log(self):
        with open(self.at("log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-3000:]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


def unmount_below(folder):
    """What a runtime left mounted, the last first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        points = [line.split()[4] for line in mounts]
    for point in reversed(points):
        if point.startswith(folder):
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL, check=False)


class Containerd(Daemon):
    """With its CRI; pods and containers are made by CRI, in cgroups as the kubelet names them."""

    def __init__(self, room):
        super().__init__(room, "containerd")
        self.number, self.channel = 0, None
        with open(self.at("config.toml"), "w", encoding="ascii") as config:
            config.write(f"""version = 2
root = "{self.at('root')}"
state = "{self.at('state')}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{self.at('cni')}"
""")

    def command(self):
        return ["containerd", "--config", self.at("config.toml")]

    def start(self, seconds=30):
        super().start(seconds)
        if self.channel:
            self.channel.close()
        self.channel = grpc.insecure_channel("unix:" + self.socket)
        end = time.monotonic() + seconds
        while True:
            try:
                self.call("Version", field(1, "v1"))
                return self
            except grpc.RpcError as error:
                assert time.monotonic() < end, error
                time.sleep(0.05)

    def ctr(self, *words, **more):
        return subprocess.run(["ctr", "--address", self.socket, *words], check=True, capture_output=True, text=True, timeout=60, **more)

    def load(self, archive):
        for namespace in ("k8s.io", "default"):
            self.ctr("-n", namespace, "images", "import", "--snapshotter", "native", archive)

    def call(self, method, request=b"", service="RuntimeService"):
        return self.channel.unary_unary(f"/runtime.v1.{service}/{method}")(request, timeout=30)

    def sandbox_config(self, pod, namespace, uid):
        options = varint(1 << 3) + varint(2) + varint(2 << 3) + varint(1)  # the host's network, a pid namespace each
        linux = field(1, "/kubepods/burstable/pod" + uid) + field(2, field(1, options))
        return (field(1, field(1, pod) + field(2, uid) + field(3, namespace)) + field(3, self.at("logs")) +
                labels(6, {"io.kubernetes.pod.name": pod, "io.kubernetes.pod.namespace": namespace,
                           "io.kubernetes.pod.uid": uid}) + field(8, linux))

    def run_pod(self, pod, namespace="shop"):
        """A pod, without containers; (its sandbox, its configuration, uid)."""
        self.number += 1
        uid = f"{os.getpid():08x}-0000-4000-8000-{self.number:012x}"
        config = self.sandbox_config(pod, namespace, uid)
        return read_text(self.call("RunPodSandbox", field(1, config))), config, uid

    def make(self, pod, name, command=("/one_call",), namespace="shop"):
        sandbox, sandbox_config, uid = pod
        metadata = {"io.kubernetes.container.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid}
        # The pod's name stands in its own labels.
        config = (field(1, field(1, name)) + field(2, field(1, IMAGE)) + b"".join(field(3, word) for word in command) +
                  labels(9, {**metadata, "io.kubernetes.pod.name": self.pod_name(sandbox_config)}) + field(11, name + ".log"))
        return read_text(self.call("CreateContainer", field(1, sandbox) + field(2, config) + field(3, sandbox_config)))

    @staticmethod
    def pod_name(config):
        return read_text(config[2:])

    def begin(self, container):
        self.call("StartContainer", field(1, container))

    def remove(self, container):
        """Once it has ended; what does not is killed. The runtime may learn of that a little later."""
        end = time.monotonic() + 3
        while not self.has_exited(container) and time.monotonic() < end:
            time.sleep(0.02)
        self.call("StopContainer", field(1, container))
        for _ in range(100):
            try:
                self.call("RemoveContainer", field(1, container))
                return
            except grpc.RpcError:
                time.sleep(0.02)
        raise AssertionError("it does not go: " + self.log())

    def has_exited(self, container):
        """Whether its state (3) is EXITED (2)."""
        status = self.call("ContainerStatus", field(1, container))
        return varint(3 << 3) + varint(2) in status[:200]

    def remove_pod(self, pod):
        self.call("StopPodSandbox", field(1, pod[0]))
        self.call("RemovePodSandbox", field(1, pod[0]))

    def stop(self, how=signal.SIGTERM):
        super().stop(how)

    def end(self):
        """Also what it left running: shims, by their command lines."""
        self.stop()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words and b"containerd-shim" in words[0] and self.socket.encode() in words:
                for child in subprocess.run(["ps", "-o", "pid=", "--ppid", pid], capture_output=True, text=True, check=False).stdout.split():
                    os.kill(int(child), signal.SIGKILL)
                os.kill(int(pid), signal.SIGKILL)
        unmount_below(self.room)


class Unix(http.client.HTTPConnection):
    def __init__(self, path, seconds=60):
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Http(Daemon):
    def ask(self, method, path, body=None, kind="application/json"):
        link = Unix(self.socket)
        link.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body),
                     {"Content-Type": kind} if body is not None else {})
        answer = link.getresponse()
        data = answer.read()
        link.close()
        assert answer.status < 400, (path, answer.status, data)
        return json.loads(data) if data.startswith((b"{", b"[")) else data

    def load(self, archive):
        with open(archive, "rb") as file:
            self.ask("POST", "/images/load", file.read(), "application/x-tar")

    def run_one(self, name, command=("/one_call",)):
        """A container that is removed when it ends."""
        made = self.ask("POST", "/containers/create?name=" + name, {
            "Image": IMAGE, "Cmd": list(command), "HostConfig": {
                "AutoRemove": True, "NetworkMode": "none",
                "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}, {"Name": "nproc", "Soft": 4096, "Hard": 4096}]}})
        self.ask("POST", f"/containers/{made['Id']}/start")
        return made["Id"]


class Dockerd(Http):
    """Over a containerd of its own, or the one at `containerd`."""

    def __init__(self, room, containerd):
        super().__init__(room, "docker")
        self.containerd = containerd

    def command(self):
        return ["dockerd", "--host", "unix://" + self.socket, "--data-root", self.at("data"), "--exec-root", self.at("exec"),
                "--pidfile", self.at("pid"), "--containerd", self.containerd.socket, "--bridge", "none", "--iptables=false",
                "--ip6tables=false", "--storage-driver", "vfs", "--exec-opt", "native.cgroupdriver=cgroupfs"]

    def end(self):
        self.stop()
        unmount_below(self.room)


class Podman(Http):
    def __init__(self, room):
        super().__init__(room, "podman")

    def command(self):
        return ["podman", "--root", self.at("data"), "--runroot", self.at("run"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                "--runtime", "/usr/sbin/runc", "--events-backend", "file", "system", "service", "--time", "0", "unix://" + self.socket]

    def end(self):
        self.stop()
        unmount_below(self.room)
