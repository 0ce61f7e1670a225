#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Brokers that answer as none should: the class, the time and the memory, in the sandbox.

usage: test_hostile.py DELIVER    (the program of ../deliver.c)
"""
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

DELIVER = sys.argv[1]
BOUND_KIB = 40 * 1024


def endless(peer, _):
    while True:
        peer.sendall(b"\0" * 65536)


def of_length(length):
    def answer(peer, _):
        peer.sendall(struct.pack(">i", length))
        for _ in range(512):
            peer.sendall(b"\1" * 65536)
    return answer


def garbage(peer, request):
    """The right number of the request, and then anything."""
    while request:
        body = request[4:8] + os.urandom(200)
        peer.sendall(struct.pack(">i", len(body)) + body)
        request = frame(peer)


def many_versions(peer, request):
    """An ApiVersions answer that says that it lists two thousand million."""
    body = request[4:8] + struct.pack(">hi", 0, 0x7fffffff)
    peer.sendall(struct.pack(">i", len(body)) + body)
    time.sleep(2)


def silence(peer, _):
    time.sleep(30)


def hang_up(peer, _):
    peer.close()


def frame(peer):
    head = peer.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return b""
    return peer.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)


def serve(answer):
    listener = socket.create_server(("127.0.0.1", 0))

    def one(peer):
        try:
            request = frame(peer)
            if request:
                answer(peer, request)
        except (OSError, struct.error):
            pass
        peer.close()

    def run():
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=one, args=(peer,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def deliver(destination, times=1, form="json"):
    done = subprocess.run([DELIVER, form, destination], input='{"a":1}\n\n' * times, text=True, capture_output=True,
                          timeout=60, env=dict(os.environ, DELIVER_SANDBOX="1"))
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-300:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def outcome(answer):
    said = deliver(f"kafka://127.0.0.1:{serve(answer)}/t")[0]
    assert said["verdicts"] == ["again"] and said["reasons"][0], said
    assert said["kib"] < BOUND_KIB, said
    return said["reasons"][0]


def test_an_answer_without_end():
    outcome(endless)


def test_wrong_lengths():
    for length in (-1, 0, 3, 0x7fffffff, 64 << 20):
        outcome(of_length(length))


def test_garbage():
    outcome(garbage)


def test_a_count_that_no_answer_can_hold():
    outcome(many_versions)


def test_a_broker_that_hangs_up():
    outcome(hang_up)


def test_a_broker_that_says_nothing():
    begun = time.monotonic()
    assert outcome(silence)
    assert time.monotonic() - begun < 20


def test_nobody_listens_and_it_is_told_again_and_again():
    for said in deliver("kafka://127.0.0.1:1/t", 3):
        assert said["verdicts"] == ["again"] and "Connection refused" in said["reasons"][0], said


def test_a_name_that_is_none():
    said = deliver("kafka://no-such-host.invalid:1/t")[0]
    assert said["verdicts"] == ["again"] and "resolve" in said["reasons"][0], said


def test_tls_before_a_broker_that_has_none():
    said = deliver(f"kafkas://127.0.0.1:{serve(garbage)}/t")[0]
    assert said["verdicts"][0] in ("again", "misconfigured") and said["reasons"][0], said


def openssl(room, *words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60, cwd=room)


def tls_server(room, name, subject):
    """One with a certificate of its own authority, NAME.crt, that goes on with garbage."""
    openssl(room, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.crt", "-subj", "/CN=x", "-addext", f"subjectAltName={subject}", "-days", "9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{room}/{name}.crt", f"{room}/{name}.key")
    return context


def test_tls_before_somebody_else():
    with tempfile.TemporaryDirectory() as room:
        right, other = tls_server(room, "right", "IP:127.0.0.1"), tls_server(room, "other", "DNS:other.invalid")
        for context, trusted, verdict in ((right, "right", "again"), (right, "other", "misconfigured"),
                                          (other, "other", "misconfigured")):
            listener = socket.create_server(("127.0.0.1", 0))
            greeted = []

            def run(at=listener, with_=context, into=greeted):
                while True:
                    try:
                        peer = with_.wrap_socket(at.accept()[0], server_side=True)
                        into.append(peer)
                        request = peer.recv(4096)
                        while request:
                            peer.sendall(struct.pack(">i", 204) + request[8:12] + os.urandom(200))
                            request = peer.recv(4096)
                        peer.close()
                    except OSError:
                        pass

            threading.Thread(target=run, daemon=True).start()
            said = deliver(f"kafkas://127.0.0.1:{listener.getsockname()[1]}/t", form=f"json,ca={room}/{trusted}.crt")[0]
            assert said["verdicts"] == [verdict], said
            assert bool(greeted) == (verdict == "again") or "certificate verify failed" in said["reasons"][0], said


def main():
    """All at once: they wait, and do nothing else."""
    tests = [(name[5:], test) for name, test in globals().items() if name.startswith("test_")]
    results = {}

    def run(name, test):
        try:
            test()
            results[name] = ""
        except Exception:  # whatever it is, the others shall be told
            results[name] = traceback.format_exc().strip().replace("\n", "\n# ")

    threads = [threading.Thread(target=run, args=one) for one in tests]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(f"1..{len(tests)}")
    for number, (name, _) in enumerate(tests, 1):
        error = results[name]
        print(f"{'not ' if error else ''}ok {number} - {name}" + (f"\n# {error}" if error else ""))
    sys.stdout.flush()
    os._exit(any(results.values()))


if __name__ == "__main__":
    main()
