#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where the gRPC server listens: sockets, sockets of systemd, and TLS.

usage: test_listening.py MRELEASE

Clients are Python's, and `openssl s_client`; certificates are openssl's. Prints TAP.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import grpc

import server
import tap
from certificates import Certificates
from server import (STREAM, Server, call, channel_to, free_port, hand_over, open_stream, pidfd_of, request, stream_of,
                    subscribed)

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)


# -- sockets ---------------------------------------------------------------------------------------

def start_at(address, settings="", listener=None):
    done = subprocess.run([*hand_over(listener), PROGRAM, "run", "--duration", "1s", "--output",
                           f"grpc{settings}:{address}"], capture_output=True, text=True, timeout=30,
                          pass_fds=[listener.fileno()] if listener else [])
    return done.returncode, done.stderr


def test_sockets_are_private_and_never_stolen():
    with Server(PROGRAM) as it:
        assert os.stat(it.path).st_mode & 0o777 == 0o600
        status, text = start_at(it.address)
        assert status == 1 and ("another server has it" in text or "is listening" in text), text
    directory = tempfile.mkdtemp(prefix="mrelease-grpc.")
    stale = os.path.join(directory, "s")
    old = socket.socket(socket.AF_UNIX)
    old.bind(stale)
    old.close()
    assert start_at("unix:" + stale)[0] == 0
    assert not os.path.exists(stale)
    open(stale, "w", encoding="ascii").close()
    status, text = start_at("unix:" + stale)
    assert status == 1 and "is no socket" in text and os.path.exists(stale), text
    assert os.listdir(directory) == ["s"], "a lock is left"
    status, text = start_at(f"unix:{directory}/none/s")
    assert status == 1 and f"{directory}/none/s: No such file" in text, text
    os.unlink(stale)
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    os.rmdir(directory)


def test_tcp_serves_loopback_only():
    with Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}") as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        call(-3)
        assert pidfd_of(next(stream)) == -3
    for address, words, code in (
            ("tcp:0.0.0.0:4466", "loopback", 2), ("tcp:nothing", "tcp:HOST:PORT", 2), ("tcp:localhost:", "1 to 65535", 2),
            ("tcp:localhost:99999", "1 to 65535", 2), ("tcp:localhost:0", "1 to 65535", 2), ("tcp:localhost:-5", "65535", 2),
            ("udp:x", "unix:PATH, tcp:HOST:PORT, systemd", 2), ("unix:" + "x" * 200, "a path of", 2)):
        status, text = start_at(address)
        assert status == code and words in text, (address, status, text)
    for settings, words, code in ((",mode=0999", "octal", 2), (",group=nosuchgroup", "no group", 2), (",mod=1", "'mode'", 2),
                                  (",control=true,read-only=true", "do not go together", 2),
                                  (",on-full=drop", "drop-oldest", 2), (",insecure=maybe", "insecure", 2),
                                  (",insecure", "insecure= needs a value", 2)):
        status, text = start_at("unix:/tmp/mrelease-never", settings)
        assert status == code and words in text, (settings, status, text)


def test_control_over_tcp_wants_certificates():
    status, text = start_at(f"tcp:127.0.0.1:{free_port()}", ",control=true")
    assert status == 2 and "control=true wants client-ca=" in text, (status, text)
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        plain.listen()
        status, text = start_at("systemd", ",control=true", listener=plain)
        assert status == 1 and "control=true wants client-ca=" in text, (status, text)


def test_other_users_are_refused_from_other_namespaces_too():
    code = ("import os,socket,sys;os.setuid(65534);s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
            "s.settimeout(5)\ntry: print(len(s.recv(9)))\nexcept ConnectionError: print(0)")
    for prefix in ([], ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]):
        with Server(PROGRAM, prefix=prefix) as it:
            os.chmod(it.directory, 0o755)
            os.chmod(it.path, 0o666)
            done = subprocess.run([sys.executable, "-c", code, it.path], capture_output=True, text=True, timeout=30)
            assert done.stdout == "0\n", (prefix, done, it.lines)
            it.wait_for("a client of user 65534")


def test_read_only_servers_change_nothing():
    with Server(PROGRAM, settings=",read-only=true", address=f"tcp:127.0.0.1:{free_port()}") as it, \
            channel_to(it) as channel:
        assert it.said("whoever can connect is served")
        for method, message in (("TraceeService/DisableEvent", b"\x0a\x10process_mrelease"),
                                ("TraceeService/EnableEvent", b"\x0a\x05mlock"),
                                ("DiagnosticService/ChangeLogLevel", b"\x08\x01")):
            try:
                channel.unary_unary("/tracee.v1beta1." + method)(message, timeout=20)
                assert False, method
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error


def test_modes_and_groups_are_as_asked_for():
    import grp
    with Server(PROGRAM, settings=",mode=0664,group=daemon") as it:
        status = os.stat(it.path)
        assert status.st_mode & 0o777 == 0o664 and grp.getgrgid(status.st_gid).gr_name == "daemon"


# -- systemd ---------------------------------------------------------------------------------------

def test_sockets_of_systemd_are_served_and_left_in_place():
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        path = os.path.join(directory, "s")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        for address in ("systemd", "systemd:mrelease"):
            with Server(PROGRAM, address=address, listener=listener) as it:
                it.address = "unix:" + path
                with channel_to(it) as channel:
                    stream = open_stream(channel)
                    subscribed(it, 1)
                    call(-3)
                    assert pidfd_of(next(stream)) == -3
            assert os.path.exists(path)
        status, text = start_at("systemd:other", listener=listener)
        assert status == 1 and "none is named 'other'" in text, text
        status, text = start_at("systemd", ",mode=0666", listener=listener)
        assert status == 2 and "mode= and group= are of unix" in text, text
        listener.close()
    status, text = start_at("systemd")
    assert status == 1 and "$LISTEN_FDS" in text, text
    with socket.socket() as wide:
        wide.bind(("0.0.0.0", 0))
        wide.listen()
        status, text = start_at("systemd", listener=wide)
        assert status == 1 and "no loopback" in text, text
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        status, text = start_at("systemd", listener=datagrams)
        assert status == 1 and "no stream socket" in text, text


# -- TLS -------------------------------------------------------------------------------------------

def served_name(it):
    """The common name of the certificate that a new client sees."""
    done = subprocess.run(["openssl", "s_client", "-connect", it.address[len("tcp:"):]], input="", text=True,
                          capture_output=True, timeout=20)
    return next(line for line in done.stdout.splitlines() if line.startswith("subject=")).split("= ")[-1]


def why_refused(it, credentials):
    with channel_to(it, credentials) as channel:
        try:
            next(stream_of(channel))
        except grpc.RpcError as error:
            return error.code().name
    return "OK"


def complaints(it):
    return [line for line in it.lines if "andshake" in line]


def test_tls_serves_those_whom_it_knows_and_says_why_not():
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}",
                                         settings=files.settings()) as it:
        with channel_to(it, files.credentials()) as channel:
            stream = open_stream(channel)
            subscribed(it, 1)
            call(-3)
            assert pidfd_of(next(stream)) == -3
            assert not complaints(it), it.lines
            for number, (who, words) in enumerate((
                    (files.credentials("stranger"), "certificate verify failed"),
                    (files.credentials("late"), "certificate verify failed"),
                    (files.credentials(None), "peer did not return a certificate")), 1):
                assert why_refused(it, who) == "UNAVAILABLE", words
                time.sleep(0.3)
                assert len(complaints(it)) >= number and words in complaints(it)[-1], it.lines
                assert re.search(r"a client, 127\.0\.0\.1 port \d+, was refused: ", complaints(it)[-1]), it.lines
            assert why_refused(it, files.credentials(authority="foreign")) == "UNAVAILABLE"
            time.sleep(0.3)
            before = len(complaints(it))
            peer = it.connect()
            port = peer.getsockname()[1]
            peer.sendall(request(STREAM, b""))
            peer.settimeout(10)
            while peer.recv(4096):
                pass
            peer.close()
            time.sleep(0.3)
            assert len(complaints(it)) == before + 1 and "wrong version" in complaints(it)[-1], it.lines
            assert f"a client, 127.0.0.1 port {port}, was refused: " in complaints(it)[-1], it.lines
            call(-4)
            assert pidfd_of(next(stream)) == -4


def test_certificates_are_reloaded_and_bad_ones_are_not():
    with Certificates() as files:
        settings = f",cert={files['live.pem']},key={files['live.key']}"

        def put(name, key=None):
            for end, source in ((".pem", name), (".key", key or name)):
                with open(files["new"], "wb") as new:
                    new.write(files.read(source + end))
                os.replace(files["new"], files["live" + end])
        put("server")
        os.chmod(files["live.key"], 0o604)
        with Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}", settings=settings) as it, \
                channel_to(it, files.credentials(None)) as channel:
            assert it.said("whoever can connect is served") and it.said("every user may use this key")
            stream = open_stream(channel)
            subscribed(it, 1)
            assert served_name(it) == "server"
            put("other")
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("read again")
            assert served_name(it) == "other"
            put("server", "other")
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("not the key of the certificate")
            put("late")
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("the certificate has expired")
            os.unlink(files["live.key"])
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("live.key: No such file")
            os.unlink(files["live.pem"])
            os.mkfifo(files["live.pem"])  # nobody writes to it, and nobody may wait for that
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("live.pem: it is no file, and cannot be read again")
            assert served_name(it) == "other"
            put("soon")
            it.process.send_signal(signal.SIGHUP)
            it.wait_for("the certificate expires soon")
            assert served_name(it) == "soon"
            call(-5)
            assert pidfd_of(next(stream)) == -5  # the stream of the first certificate


def test_files_that_are_none_are_named():
    with Certificates() as files:
        files.openssl("ec", "-in", files["server.key"], "-aes256", "-passout", "pass:x", "-out", files["locked.key"])
        with open(files["garbage.pem"], "wb") as garbage:
            garbage.write(os.urandom(4096))
        with open(files["chain.pem"], "wb") as chain:
            chain.write(files.read("server.pem") + files.read("client.pem").replace(b"M", b"!"))
        with open(files["old_chain.pem"], "wb") as chain:
            chain.write(files.read("server.pem") + files.read("late.pem"))
        one, key = f",cert={files['server.pem']}", f",key={files['server.key']}"
        for settings, words in (
                (one, "cert= and key= come together"), (key, "cert= and key= come together"),
                (f",client-ca={files['ca.pem']}", "client-ca= wants"),
                (f",cert={files['none.pem']}" + key, "none.pem: No such file"),
                (f",cert={files['server.key']}" + key, "server.key: no certificate"),
                (f",cert={files['garbage.pem']}" + key, "garbage.pem: no"),
                (one + f",key={files['client.key']}", "client.key: not the key of"),
                (one + f",key={files['locked.key']}", "locked.key: no private key in PEM without a passphrase"),
                (one + key + f",client-ca={files['ca.key']}", "ca.key: no certificate"),
                (f",cert={files['late.pem']},key={files['late.key']}", "has expired"),
                (f",cert={files['chain.pem']}" + key, "chain.pem: certificate 2 is broken"),
                (f",cert={files['old_chain.pem']}" + key, "old_chain.pem: the certificate has expired"),
                (one + key + f",client-ca={files['chain.pem']}", "chain.pem: certificate 2 is broken"),
                (one + key + ",client_ca=x", "'client-ca'")):
            status, text = start_at(f"tcp:127.0.0.1:{free_port()}", settings)
            assert status in (1, 2) and words in text, (settings, text)
        status, text = start_at("unix:/tmp/mrelease-never", one + key)
        assert status == 2 and "TLS, is of tcp" in text, text
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            status, text = start_at("tcp:127.0.0.1:%d" % taken.getsockname()[1], one + key)
            assert status == 1 and "in use" in text, text


@tap.beside
def test_frozen_clients_of_tls_are_freed():
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}",
                                         settings=files.settings()) as it:
        known = ("--ca", files["ca.pem"], "--cert", files["client.pem"], "--key", files["client.key"])
        before = it.descriptors()
        client = subprocess.Popen([PROGRAM, "stream", "--server", it.address, *known], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        assert "connected" in client.stderr.readline()
        client.send_signal(signal.SIGSTOP)
        call(count=50000)
        end = time.monotonic() + 20
        while it.descriptors() > before:
            assert time.monotonic() < end, it.lines
            time.sleep(0.05)
        client.kill()
        client.communicate()


def test_the_end_waits_for_no_peer_of_tls():
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}",
                                         settings=files.settings(mutual=False)) as it:
        mute = [it.connect() for _ in range(5)]  # no handshake ever
        deaf = subprocess.Popen(["openssl", "s_client", "-quiet", "-alpn", "h2", "-connect", it.address[4:]],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deaf.stdin.write(request(STREAM, b"", window=2**31 - 1))
        deaf.stdin.flush()
        time.sleep(1)
        call(count=100000)
        deaf.send_signal(signal.SIGSTOP)
        call(count=100000)
        took = it.stop()
        deaf.kill()
        deaf.wait()
        for peer in mute:
            peer.close()
    assert took < (10 if it.is_sanitized else 2.5), took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        tap.run(globals(), PROGRAM)
