#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Syslog, before rsyslog and before servers that behave badly.

usage: test_syslog.py DELIVER    (the program of deliver.c)
"""
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../grpc"), os.path.join(HERE, "..")]
from certificates import Certificates  # noqa: E402
from delivering import LINES, refusal, run, run_tests, verdicts  # noqa: E402
from peers import Program, Server, close, flood, free_port, hang, reset, until  # noqa: E402

MEMORY_KIB = 32 * 1024
ID = "e30b2f15c2934355-0000000000000001-0.0."
# RFC 5424 and 6587, from their text.
NAME = r"[\x21-\x7e]"
MESSAGE = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z) (?P<host>%s{1,255}) (?P<app>%s{1,48})"
    rb" (?P<pid>-|%s{1,128}) (?P<id>-|%s{1,32}) \[(?P<name>[^ =\]\"]{1,32})(?P<data>( [^ =\]\"]{1,32}=\"[^\"\\\]]*\")*)\]"
    rb" (?P<text>.*)\Z".replace(b"%s", NAME.encode()), re.S)


def messages(stream):
    """Those of a stream whose octets are counted."""
    found = []
    while (head := re.match(rb"(\d+) ", stream)):
        end = head.end() + int(head[1])
        if end > len(stream):
            break
        found.append(MESSAGE.match(stream[head.end():end]))
        assert found[-1], stream[head.end():end]
        stream = stream[end:]
    assert not stream or not re.match(rb"\d+ .*\n", stream), stream[:80]
    return found


class Taker(Server):
    """Reads; `most`: how many bytes of a connection before it is reset."""

    def __init__(self, most=lambda number: 1 << 30, tls=None):
        self.streams = []
        super().__init__(self.take, tls)
        self.most = most

    def take(self, connection, number):
        stream = bytearray()
        self.streams.append(stream)
        while len(stream) < self.most(number) and (piece := connection.recv(min(65536, self.most(number) - len(stream)))):
            stream += piece
        if len(stream) >= self.most(number):
            reset(connection, number)

    def texts(self):
        return [one["text"].decode() for stream in self.streams for one in messages(bytes(stream))]


def send(kind, port, form="ecs", host="127.0.0.1", **more):
    return run(f"syslog+{kind}://{host}:{port}", form=form, **more)[0]


# -- rsyslog ----------------------------------------------------------------------------------------

RULES = """
global(workDirectory="." maxMessageSize="128k" net.enableDNS="off")
module(load="imudp")
module(load="imtcp")
template(name="lines" type="list" option.jsonf="on") {
  property(outname="input" name="inputname" format="jsonf")
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}
ruleset(name="keep") { action(type="omfile" file="%(room)s/out" template="lines") }
input(type="imudp" address="127.0.0.1" port="%(udp)d" ruleset="keep" name="udp")
input(type="imtcp" address="127.0.0.1" port="%(tcp)d" ruleset="keep" name="tcp")
"""
SECURE = """
global(defaultNetstreamDriverCAFile="%(ca)s" defaultNetstreamDriverCertFile="%(cert)s" defaultNetstreamDriverKeyFile="%(key)s")
input(type="imtcp" address="127.0.0.1" port="%(anon)d" ruleset="keep" name="anon" streamDriver.name="gtls"
  streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="%(mutual)d" ruleset="keep" name="mutual" streamDriver.name="gtls"
  streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
"""


def test_rsyslog_has_what_was_sent():
    with Certificates() as files, tempfile.TemporaryDirectory(prefix="mrelease-rsyslog.") as room:
        ports = {name: free_port() for name in ("tcp", "anon", "mutual")}
        ports["udp"] = free_port(socket.SOCK_DGRAM)
        names = dict(ports, room=room, ca=files["ca.pem"], cert=files["server.pem"], key=files["server.key"])
        with open(os.path.join(room, "rules"), "w", encoding="ascii") as rules:
            rules.write((RULES + SECURE) % names)
        odd = ['{"q":"\\" \\\\ ] = \\u00e9 é"}', "plain ] text", json.dumps({"long": "x" * 60000}), '{"last":1}']
        secure = f"ecs,max-size=128K,ca={files['ca.pem']}"
        mutual = f"{secure},cert={files['client.pem']},key={files['client.key']}"
        with Program(["rsyslogd", "-n", "-f", "rules", "-i", "NONE"], [ports["tcp"], ports["anon"], ports["mutual"]], room):
            for kind, name, form in (("udp", "udp", "ecs,max-size=128K"), ("tcp", "tcp", "ecs,max-size=128K"),
                                     ("tls", "anon", secure), ("tls", "mutual", mutual)):
                said = send(kind, ports[name], form, requests=(odd,))
                assert verdicts(said) == {"taken"}, (name, said)
            # Refused after the handshake, and before the first message counts.
            said = send("tls", ports["mutual"], secure)
            assert verdicts(said) == {"misconfigured"}, said
            broken = ['{"a":"one\\ntwo"}'.replace("\\n", "\n").encode().hex()]
            assert verdicts(send("tcp", ports["tcp"], requests=(broken,), environment={"DELIVER_HEX": "1"})) == {"taken"}

            def out():
                with open(os.path.join(room, "out"), encoding="utf-8") as file:
                    return [json.loads(line) for line in file if line.endswith("\n")]
            until(lambda: os.path.exists(os.path.join(room, "out")))
            until(lambda: len(out()) == 4 * len(odd) + 1)
            for name in ("udp", "tcp", "anon", "mutual"):
                kept = [one for one in out() if one["input"] == name][:len(odd)]
                assert [one["text"] for one in kept] == odd, (name, kept)
                for number, one in enumerate(kept):
                    assert (one["pri"], one["app"], one["id"]) == ("109", "mrelease", "process_mrelease"), one
                    assert one["host"] == os.uname().nodename and one["time"] == "2026-11-28T15:20:11.522903Z", one
                    assert f'id="{ID}{number}" time_ns="{1795879211522903112 + number}"' in one["data"], one
            assert out()[-1]["text"] == '{"a":"one#012two"}', out()[-1]


def hold_rule(rules, port, room, kind, form):
    """What the rule of the manual writes is what was sent."""
    path = os.path.join(room, "mrelease.json")
    with open(os.path.join(room, "rules"), "w", encoding="utf-8") as file:
        file.write(rules.replace("/var/log", room).replace('port="6514"', f'address="127.0.0.1" port="{port}"'))
    lines = LINES + [json.dumps({"long": "x" * 40000})]
    with Program(["rsyslogd", "-n", "-f", "rules", "-i", "NONE"], [port], room):
        said = send(kind, port, form, requests=(lines,))
        assert verdicts(said) == {"taken"}, said
        until(lambda: os.path.exists(path) and open(path, encoding="utf-8").read().splitlines() == lines)


def test_the_rule_of_the_manual_works():
    """And without what it says is for TLS."""
    with open(os.path.join(HERE, "../../../docs/destinations/syslog.md"), encoding="utf-8") as page:
        rules = re.search(r"```rsyslog\n(.*?)```", page.read(), re.S)[1]
    plain = re.sub(r"\s(streamDriver|defaultNetstreamDriver)[^\s)]+", "", rules)
    assert "river" not in plain, plain
    with Certificates() as files, tempfile.TemporaryDirectory(prefix="mrelease-rsyslog.") as room:
        for name in ("ca.pem", "server.pem", "server.key"):
            rules = rules.replace(f"/etc/rsyslog/{name}", files[name])
        form = f"json,max-size=64K,ca={files['ca.pem']},cert={files['client.pem']},key={files['client.key']}"
        hold_rule(rules, free_port(), room, "tls", form)
    with tempfile.TemporaryDirectory(prefix="mrelease-rsyslog.") as room:
        hold_rule(plain, free_port(), room, "tcp", "json,max-size=64K")


# -- what is sent -----------------------------------------------------------------------------------


def test_messages_are_those_of_the_rfc():
    server = Taker()
    said = send("tcp", server.port, "ecs,facility=local3,app=sensor,enterprise=4711")
    assert verdicts(said) == {"taken"}, said
    until(lambda: len(server.texts()) == len(LINES))
    one = messages(bytes(server.streams[0]))[0]
    assert (one["pri"], one["app"], one["pid"], one["id"]) == (b"157", b"sensor", b"-", b"process_mrelease")
    assert one["name"] == b"mrelease@4711" and server.texts() == LINES
    assert one["data"] == f' id="{ID}0" time_ns="1795879211522903112"'.encode()


def test_what_is_too_long_is_refused_alone():
    server = Taker()
    lines = ["a", "b" * 8000, "c", "d" * 7800]
    said = send("tcp", server.port, requests=(lines,))
    assert said["verdicts"] == ["taken", "refused", "taken", "taken"], said
    assert "max-size= is 8000" in said["reasons"][1], said
    until(lambda: server.texts() == ["a", "c", lines[3]])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        said = send("udp", one.getsockname()[1], "ecs,max-size=1M", requests=(["a", "b" * 65507, "c"],))
        assert said["verdicts"] == ["taken", "refused", "taken"] and "datagram" in said["reasons"][1], said
        assert [MESSAGE.match(one.recv(65536))["text"] for _ in range(2)] == [b"a", b"c"]


# -- who does not take it ---------------------------------------------------------------------------


def test_nobody_there_is_again():
    for kind in ("udp", "tcp"):
        said = send(kind, free_port(), requests=(LINES, LINES))
        assert verdicts(said) == {"again"} and "refused" in said["reasons"][0], (kind, said)
    assert verdicts(send("tcp", 514, host="no.such.host.invalid")) == {"again"}


def test_servers_that_leave_or_hang():
    large = ["x" * 7000] * 2000
    for behave, requests, text in ((close, (LINES,), "closed"), (reset, (LINES,), "reset"), (hang, (large,), "long")):
        server = Server(behave)
        for _ in range(10):  # on a busy machine it may leave only when all is there
            said = send("tcp", server.port, "ecs,timeout=1s", requests=requests)
            if verdicts(said) == {"again"}:
                break
        assert verdicts(said) == {"again"} and text in said["reasons"][0], (text, said)
        assert said["kib"] < MEMORY_KIB, said["kib"]


def test_answers_are_thrown_away():
    server = Server(flood)
    said = run(f"syslog+tcp://127.0.0.1:{server.port}", [LINES] * 5)
    assert all(verdicts(one) == {"taken"} and one["kib"] < MEMORY_KIB for one in said[:-1]), said


def break_off(requests):
    """Sends to a server that leaves after 500 bytes of the first. Returns what was said, and what it got then."""
    server = Taker(most=lambda number: 500 if number == 1 else 1 << 30)
    said = run(f"syslog+tcp://127.0.0.1:{server.port}", requests,
               between=lambda _: until(lambda: server.streams and len(server.streams[0]) >= 500))[:-1]
    until(lambda: server.texts()[-1:] == requests[-1])
    return said, [one["text"].decode() for one in messages(bytes(server.streams[1]))]


def test_a_broken_connection_begins_again_with_its_tail():
    requests = [LINES, ['{"a":5}'], ['{"a":6}'], ['{"a":7}']]
    for _ in range(20):
        said, again = break_off(requests)
        taken = [line for judged, lines in zip(said, requests) if verdicts(judged) == {"taken"} for line in lines]
        assert '{"a":7}' in taken, said
        # The server's kernel had all of the first request, and the server read a part of it.
        assert set(taken) <= set(again), (taken, again)
        if verdicts(said[0]) == {"taken"}:
            return
    raise AssertionError("the server was always gone before the first request was judged")


def tail_of(requests):
    """What a server gets once more that is gone when it has read the first request; and what was said."""
    whole, server = Taker(), Taker()
    run(f"syslog+tcp://127.0.0.1:{whole.port}", requests[:1])
    until(lambda: len(whole.texts()) == len(requests[0]))
    server.most = lambda number: len(whole.streams[0]) if number == 1 else 1 << 30
    server.behave = lambda connection, number: (server.take(connection, number), number > 1 or time.sleep(0.3))
    said = run(f"syslog+tcp://127.0.0.1:{server.port}", requests, between=lambda number: number > 1 or time.sleep(0.6))
    until(lambda: len(server.streams) == 2 and server.texts()[-1:] == requests[-1])
    assert len(said) >= 3 and all(verdicts(one) == {"taken"} for one in said[:-1]), said
    return [one["text"].decode() for one in messages(bytes(server.streams[1]))][:-len(requests[-1])]


def test_a_long_tail_begins_with_a_whole_message():
    lines = ["%02d" % number + "x" * 6998 for number in range(30)]
    assert tail_of([lines, ["last"]]) == lines[-9:]


def test_files_that_are_read_again_forget_no_tail():
    assert tail_of([LINES, "!reopen\n", ["last"]]) == LINES
    server = Taker()  # one that is there has read it
    run(f"syslog+tcp://127.0.0.1:{server.port}", [LINES, "!reopen\n", ["last"]])
    until(lambda: server.texts() == LINES + ["last"])


# -- TLS --------------------------------------------------------------------------------------------


def test_tls_is_verified():
    with Certificates() as files:
        files.sign("elsewhere", "ca", 9, "DNS:elsewhere.invalid")
        ca = f"ecs,timeout=2s,ca={files['ca.pem']}"
        for name, form, host, verdict in (
                ("server", ca, "127.0.0.1", "taken"), ("server", ca, "localhost", "taken"),
                ("late", ca, "127.0.0.1", "misconfigured"), ("stranger", ca, "127.0.0.1", "misconfigured"),
                ("server", "ecs", "127.0.0.1", "misconfigured"), ("elsewhere", ca, "127.0.0.1", "misconfigured"),
                ("elsewhere", ca, "localhost", "misconfigured")):
            server = Taker(tls=(files[name + ".pem"], files[name + ".key"]))
            said = send("tls", server.port, form, host=host)
            assert verdicts(said) == {verdict}, (name, form, host, said)
            if verdict == "taken":
                until(lambda: server.texts() == LINES)
            else:
                assert not server.texts(), name
        for behave, verdict in ((close, {"again", "misconfigured"}), (hang, {"again"}), (flood, {"misconfigured"})):
            said = send("tls", Server(behave).port, ca)
            assert verdicts(said) <= verdict and said["kib"] < MEMORY_KIB, (behave, said)
        said = send("tls", Server(close, (files["server.pem"], files["server.key"])).port, ca)
        assert verdicts(said) == {"misconfigured"} and "right after the handshake" in said["reasons"][0], said


def test_a_client_without_certificate_is_told():
    with Certificates() as files:
        server = Taker(tls=(files["server.pem"], files["server.key"], files["ca.pem"]))
        ca = f"ecs,ca={files['ca.pem']}"
        said = send("tls", server.port, ca)
        assert verdicts(said) == {"misconfigured"} and not server.texts(), said
        mine = [os.path.join(files.room.name, name) for name in ("mine.pem", "mine.key")]
        for to, name in zip(mine, ("stranger.pem", "stranger.key")):
            shutil.copy(files[name], to)
        form = f"{ca},cert={mine[0]},key={mine[1]}"
        assert verdicts(send("tls", server.port, form)) == {"misconfigured"}

        def renew(number):
            for to, name in zip(mine, ("client.pem", "client.key")) if number == 1 else ():
                shutil.copy(files[name], to)
        said = run(f"syslog+tls://127.0.0.1:{server.port}", [LINES, "!reopen\n", LINES], form=form, between=renew)
        assert [verdicts(one) for one in said[:-1]] == [{"misconfigured"}, {"taken"}], said
        until(lambda: server.texts() == LINES)


def test_the_sandbox_leaves_names_and_tls():
    with Certificates() as files:
        server = Taker(tls=(files["server.pem"], files["server.key"]))
        said = send("tls", server.port, f"ecs,ca={files['ca.pem']}", host="localhost",
                    environment={"DELIVER_SANDBOX": "1"})
        assert verdicts(said) == {"taken"}, said
        for kind in ("tcp", "udp"):
            assert verdicts(send(kind, free_port(), environment={"DELIVER_SANDBOX": "1"})) == {"again"}


def test_what_cannot_be_used_is_said_at_the_start():
    with Certificates() as files:
        for destination, form, text in (
                ("syslog+http://h", "ecs", "begins with one of udp tcp tls"), ("syslog+tcp://", "ecs", "no HOST"),
                ("syslog+tcp://h:x", "ecs", "no HOST"), ("syslog+tcp://h/p", "ecs", "no HOST"),
                ("syslog+tcp://u@h", "ecs", "'@'"), ("syslog+tcp://h", f"ecs,ca={files['ca.pem']}", "for TLS"),
                ("syslog+tls://h", f"ecs,cert={files['client.pem']}", "come together"),
                ("syslog+tls://h", f"ecs,ca={files['client.key']}", "no certificate"),
                ("syslog+tls://h", f"ecs,cert={files['client.pem']},key={files['server.key']}", "not the key"),
                ("syslog+tls://h", "ecs,ca=/nowhere", "/nowhere"), ("syslog+tcp://h", "ecs,app=a b", "app="),
                ("syslog+tcp://h", "ecs,facility=kern", "facility"), ("syslog+tcp://h", "ecs,max-size=12", "max-size")):
            said = refusal(destination, form)
            assert text in said, (destination, form, said)


if __name__ == "__main__":
    run_tests(globals())
