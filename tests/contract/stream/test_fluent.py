#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fluent Forward, before servers that behave well, badly, or not at all.

usage: test_fluent.py DELIVER    (the program of deliver.c)
"""
import gzip
import hashlib
import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../grpc"), os.path.join(HERE, "..")]
from certificates import Certificates  # noqa: E402
from delivering import LINES, SECRET, put_file, refusal, run, run_tests, verdicts  # noqa: E402
from peers import Server, close, flood, free_port, hang, reset  # noqa: E402

MEMORY_KIB = 32 * 1024


# -- MessagePack, as its specification has it -------------------------------------------------------


class Reader:
    """`read`: gives that many bytes, or fails."""

    def __init__(self, read):
        self.read = read

    def number(self, size):
        return int.from_bytes(self.read(size), "big")

    def value(self):
        mark = self.number(1)
        if mark < 0x80:
            return mark
        if mark < 0x90 or mark in (0xde, 0xdf):
            count = mark & 15 if mark < 0x90 else self.number(2 if mark == 0xde else 4)
            return {self.value(): self.value() for _ in range(count)}
        if mark < 0xa0 or mark in (0xdc, 0xdd):
            count = mark & 15 if mark < 0xa0 else self.number(2 if mark == 0xdc else 4)
            return [self.value() for _ in range(count)]
        if mark < 0xc0 or mark in (0xd9, 0xda, 0xdb):
            return self.read(mark & 31 if mark < 0xc0 else self.number(1 << (mark - 0xd9))).decode()
        if mark in (0xc4, 0xc5, 0xc6):
            return self.read(self.number(1 << (mark - 0xc4)))
        if mark in (0xcc, 0xcd, 0xce, 0xcf):
            return self.number(1 << (mark - 0xcc))
        if mark == 0xd3:
            return int.from_bytes(self.read(8), "big", signed=True)
        if mark == 0xcb:
            return struct.unpack(">d", self.read(8))[0]
        if mark == 0xd7:
            assert self.number(1) == 0
            return (self.number(4), self.number(4))
        return {0xc0: None, 0xc2: False, 0xc3: True}[mark]


def pack(value):
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, str):
        return b"\xda" + struct.pack(">H", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, list):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(pack, value))
    return bytes([0x80 + len(value)]) + b"".join(pack(key) + pack(one) for key, one in value.items())


def sha(*parts):
    return hashlib.sha512(b"".join(part.encode() if isinstance(part, str) else part for part in parts)).hexdigest()


class Taker(Server):
    """Acknowledges chunks; `key`: after a handshake, which `tamper` may spoil."""

    def __init__(self, ack=lambda chunk, number: {"ack": chunk}, key=None, tamper=lambda pong: pong, tls=None, users=None):
        self.chunks, self.entries, self.ack, self.key, self.tamper, self.users = [], [], ack, key, tamper, users
        super().__init__(self.take, tls)

    def take(self, connection, number):
        file = connection.makefile("rb")

        def read(size):
            data = file.read(size)
            if len(data) < size:
                raise OSError("the end")
            return data
        reader = Reader(read)
        if self.key:
            self.greet(connection, reader)
        while True:
            if read(1) != b"\x93":  # a collector knows a chunk by this
                raise ValueError("no chunk")
            tag, packed, options = reader.value(), reader.value(), reader.value()
            if options.get("compressed") == "gzip":
                packed = gzip.decompress(packed)
            at, found = [0], []

            def inner(size):
                at[0] += size
                return packed[at[0] - size:at[0]]
            while at[0] < len(packed):
                found.append(Reader(inner).value())
            assert options["size"] == len(found)
            self.chunks.append((tag, options))
            said = self.ack(options["chunk"], len(self.chunks))
            if said:
                self.entries += found
                connection.sendall(said if isinstance(said, bytes) else pack(said))

    def greet(self, connection, reader):
        nonce, auth = os.urandom(16), os.urandom(16) if self.users else b""
        connection.sendall(pack(["HELO", {"keepalive": True, "nonce": nonce, "auth": auth}]))
        word, name, salt, proof, user, password = reader.value()
        assert word == "PING"
        ok = proof == sha(salt, name, nonce, self.key)
        ok = ok and (not self.users or password == sha(auth, user, self.users.get(user, "?")))
        pong = ["PONG", ok, "" if ok else "shared key mismatch " + SECRET, "server", sha(salt, "server", nonce, self.key)]
        connection.sendall(pack(self.tamper(pong)))

    def maps(self):
        return [entry[1] for entry in self.entries]


def send(port, form="json", scheme="fluent", host="127.0.0.1", **more):
    return run(f"{scheme}://{host}:{port}", form=form, **more)[0]


# -- what is sent -----------------------------------------------------------------------------------


def test_events_are_maps_with_nanoseconds():
    server = Taker()
    line = ('{"a":[1,-2,{"b":null}],"t":true,"f":false,"r":1.5,"e":"\\u00e9\\ud83d\\ude00\\n\\"é","big":9223372036854775807,'
            '"huge":18446744073709547520,"low":-9223372036854775808, "empty":{},"none":[]}')
    said = send(server.port, requests=([line, '{"second":2}'],))
    assert verdicts(said) == {"taken"}, said
    expected = dict(json.loads(line), huge="18446744073709547520")
    assert server.maps() == [expected, {"second": 2}], server.maps()
    assert [entry[0] for entry in server.entries] == [(1795879211, 522903112), (1795879211, 522903113)]
    assert server.chunks[0][0] == "mrelease" and "compressed" not in server.chunks[0][1]
    many = ['{"n":%d}' % number for number in range(1000)]
    for form, packed in (("json,tag=a.b", True), ("json,compress=none", False)):
        server = Taker()
        assert verdicts(send(server.port, form, requests=(many, many))) == {"taken"}
        assert server.maps()[:1000] == [{"n": number} for number in range(1000)]
        assert ("compressed" in server.chunks[0][1]) == packed and server.connections == 1


def test_what_is_no_object_is_refused_alone():
    server = Taker()
    bad = ["[1]", '{"a":}', '{"a":1', '{"a":1}x', '{"a" 1}', '{"a":"\\x"}', '{"a":"\\ud800"}', '{"a":-}', "", "nul",
           '{"a":' + "[" * 40 + "]" * 40 + "}", '{"a":' + "1" * 60 + "}", '{"a":1,}', '{1:2}']
    lines = [one for one in bad if one] + LINES
    said = send(server.port, requests=(lines,))
    assert said["verdicts"] == ["refused"] * (len(lines) - 4) + ["taken"] * 4, said
    assert server.maps() == [json.loads(line) for line in LINES]


# -- who does not take it ---------------------------------------------------------------------------


def test_a_chunk_that_is_not_acknowledged_is_sent_again():
    for ack, text in ((lambda chunk, number: None, "long"), (lambda chunk, number: {"ack": "other"}, "something else"),
                      (lambda chunk, number: {"ack": chunk[:-1]}, "something else"), (lambda chunk, number: b"\xc1", "no MessagePack"),
                      (lambda chunk, number: b"\xdd\xff\xff\xff\xff", "long"), (lambda chunk, number: b"\x80", "something else"),
                      (lambda chunk, number: b"\xdb\x7f\xff\xff\xff" + b"x" * 200000, "answer is too long"),
                      (lambda chunk, number: b"\x91" * 70000, "answer is too long"), (lambda chunk, number: {"ack": [chunk]}, "something else")):
        server = Taker(ack)
        said = send(server.port, "json,timeout=1s")
        assert verdicts(said) == {"again"} and text in said["reasons"][0], (text, said)
        assert said["kib"] < MEMORY_KIB, said
    server = Taker(lambda chunk, number: {"ack": chunk} if number > 1 else None)
    said = run(f"fluent://127.0.0.1:{server.port}", [LINES, LINES], form="json,timeout=1s")
    assert [verdicts(one) for one in said[:-1]] == [{"again"}, {"taken"}], said
    assert server.connections == 2 and server.maps() == [json.loads(line) for line in LINES]


def test_servers_that_leave_or_hang():
    for behave in (close, reset, hang, flood):
        for form in ("json,timeout=1s", f"json,timeout=1s,shared-key-file={put_file('key', SECRET)}"):
            said = send(Server(behave).port, form)
            assert verdicts(said) <= {"again", "misconfigured"} and said["kib"] < MEMORY_KIB, (behave, said)
    assert verdicts(send(free_port())) == {"again"}


# -- who is who -------------------------------------------------------------------------------------


def test_both_ends_prove_that_they_know_the_key():
    form = f"json,timeout=2s,shared-key-file={put_file('shared', SECRET)}"
    server = Taker(key=SECRET)
    said = run(f"fluent://127.0.0.1:{server.port}", [LINES, LINES], form=form)
    assert all(verdicts(one) == {"taken"} for one in said[:-1]) and server.connections == 1, said
    said = send(Taker(key="another").port, form)
    assert verdicts(said) == {"misconfigured"} and "shared key mismatch ***" in said["reasons"][0], said
    said = send(Taker(key=SECRET).port, "json,timeout=2s")
    assert verdicts(said) == {"misconfigured"} and "wants a shared key" in said["reasons"][0], said
    for tamper, verdict in ((lambda pong: pong[:4] + ["0" * 128], "misconfigured"), (lambda pong: pong[:4], "again"),
                            (lambda pong: pong[:4] + [pong[4][:-1]], "misconfigured"), (lambda pong: {"PONG": True}, "again"),
                            (lambda pong: [pong[0], "yes"] + pong[2:], "misconfigured")):
        server = Taker(key=SECRET, tamper=tamper)
        said = send(server.port, form)
        assert verdicts(said) == {verdict} and not server.chunks, said
    user = f"{form},user=u,password-file={put_file('password', 'pass-' + SECRET)}"
    assert verdicts(send(Taker(key=SECRET, users={"u": "pass-" + SECRET}).port, user)) == {"taken"}
    assert verdicts(send(Taker(key=SECRET, users={"u": "other"}).port, user)) == {"misconfigured"}


def test_a_huge_nonce_is_not_kept():
    def greet(connection, _number):
        connection.sendall(pack(["HELO", {"nonce": b"n" * 1048576, "auth": b"", "keepalive": True}]))
        hang(connection, _number)
    said = send(Server(greet).port, f"json,shared-key-file={put_file('shared', SECRET)}")
    assert verdicts(said) == {"again"} and "answer is too long" in said["reasons"][0] and said["kib"] < MEMORY_KIB, said


def test_tls_and_the_sandbox():
    with Certificates() as files:
        form = f"json,timeout=2s,ca={files['ca.pem']}"
        pair = (files["server.pem"], files["server.key"])
        server = Taker(tls=pair, key=SECRET)
        said = send(server.port, f"{form},shared-key-file={put_file('shared', SECRET)}", "fluents", "localhost",
                    environment={"DELIVER_SANDBOX": "1"})
        assert verdicts(said) == {"taken"} and len(server.maps()) == len(LINES), said
        assert verdicts(send(server.port, "json", "fluents")) == {"misconfigured"}
        said = send(Taker(tls=pair + (files["ca.pem"],)).port, form, "fluents")
        # Its alert is lost where the connection is reset at once.
        assert verdicts(said) <= {"again", "misconfigured"}, said


def test_what_cannot_be_used_is_said_at_the_start():
    for destination, form, text in (
            ("fluent://h", "table", "takes JSON"), ("fluent://h/x", "json", "no HOST"), ("fluent://", "json", "no HOST"),
            ("fluent://h", "json,user=u", "come together"), ("fluent://h", "json,ca=/etc/passwd", "for TLS"),
            ("fluent://h", f"json,user=u,password-file={put_file('p', 'x')}", "wants shared-key-file"),
            ("fluent://h", "json,shared-key-file=/nowhere", "/nowhere"), ("fluent://h", "json,facility=user", "facility")):
        said = refusal(destination, form)
        assert text in said, (destination, form, said)


if __name__ == "__main__":
    run_tests(globals())
