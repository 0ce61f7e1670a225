#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What all destinations that are spoken to by HTTP do: before servers that answer well, badly, or not at all.

usage: test_http.py DELIVER    (the program of deliver.c)
"""
import base64
import email.utils
import gzip
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../grpc"), os.path.join(HERE, "..")]
from certificates import Certificates  # noqa: E402
from delivering import LINES, ROOM, SECRET, put_file, refusal, run, run_tests, verdicts  # noqa: E402
from hostile import Server, answer  # noqa: E402

MEMORY_KIB = 48 * 1024


def webhook(server, path="/", form="ecs", **more):
    return run("webhook+" + server.url(path), form=form, **more)[0]


# -- classes, of all that speak HTTP ----------------------------------------------------------------


def test_codes_have_classes():
    server = Server()
    table = {200: "taken", 204: "taken", 301: "misconfigured", 307: "misconfigured", 400: "again",
             401: "misconfigured", 403: "misconfigured", 404: "misconfigured", 405: "misconfigured",
             407: "misconfigured", 408: "again", 410: "misconfigured", 413: "again", 415: "misconfigured",
             422: "again", 425: "again", 429: "again", 500: "again", 501: "misconfigured", 502: "again",
             503: "again", 504: "again", 599: "again"}
    for status, verdict in table.items():
        server.answers["/"] = answer(status, "why not", ["Location: http://127.0.0.1:1/"])
        said = webhook(server)
        assert verdicts(said) == {verdict}, (status, said)
        assert said["halve"] == (status in (400, 413, 422)), (status, said)
        if verdict != "taken":
            assert said["reasons"][0] == f"HTTP {status}: why not", said
    server.answers["/"] = answer(413)
    said = webhook(server, requests=(LINES[:1],))
    assert verdicts(said) == {"refused"}, said


def test_pauses_are_bounded():
    server = Server()
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    for value, least, most in (("7", 7000, 7000), (date, 20000, 31000), ("-5", 0, 0), ("x", 0, 0),
                               ("99999999", 600000, 600000), ("999999999999999999999", 0, 600000)):
        for status in (429, 503):
            server.answers["/"] = answer(status, "", [f"Retry-After: {value}"])
            said = webhook(server)
            assert verdicts(said) == {"again"} and least <= said["wait_ms"] <= most, (value, said)


def test_redirects_lead_nowhere():
    server, other = Server(), Server()
    other.answers["/"] = answer(200)
    server.answers["/"] = answer(307, "", ["Location: " + other.url()])
    assert verdicts(webhook(server)) == {"misconfigured"}
    assert not other.requests


def raw(text, end=True):
    def send(connection, _request):
        connection.sendall(text)
        return not end
    return send


def reset(connection, _request):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def flood(lead, piece):
    def send(connection, _request):
        connection.sendall(lead)
        while True:
            connection.sendall(piece)
    return send


def test_what_is_not_known_is_sent_again():
    server = Server()
    bomb = gzip.compress(b"0" * (64 * 1024 * 1024))
    server.answers = {
        "/reset": reset,
        "/cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        "/cut-headers": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        "/nothing": raw(b""),
        "/no-http": raw(b"SSH-2.0-OpenSSH_9.2\r\n" * 10),
        "/wrong-length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        "/wrong-chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"),
        "/endless": flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                          b"10000\r\n" + b"x" * 0x10000 + b"\r\n"),
        "/endless-line": flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 0x10000),
        "/headers": flood(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"y" * 1000 + b"\r\n"),
        "/continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "/transfer-bomb": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n%x\r\n"
                              % len(bomb) + bomb + b"\r\n0\r\n\r\n"),
    }
    for path in server.answers:
        said = webhook(server, path)
        # What speaks no HTTP is no matter of time.
        assert verdicts(said) == {"misconfigured" if path == "/no-http" else "again"}, (path, said)
        assert said["reasons"][0], path
        assert said["kib"] < MEMORY_KIB, (path, said["kib"])


def test_what_nobody_asked_for_is_not_unpacked():
    server = Server()
    bomb = gzip.compress(b"0" * (64 * 1024 * 1024))
    server.answers["/"] = answer(500, bomb, ["Content-Encoding: gzip"])
    said = webhook(server)
    assert verdicts(said) == {"again"} and said["kib"] < MEMORY_KIB, said
    assert "accept-encoding" not in server.requests[0].headers


def test_who_hangs_is_left():
    server = Server()
    server.answers["/"] = lambda connection, request: time.sleep(30)
    began = time.monotonic()
    said = webhook(server, form="ecs,timeout=1s")
    assert verdicts(said) == {"again"} and time.monotonic() - began < 15, said


def test_nobody_listens():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        said = run(f"webhook+http://127.0.0.1:{bound.getsockname()[1]}/")[0]
    assert verdicts(said) == {"again"}, said


def test_one_connection_serves_many_requests():
    server = Server()
    server.answers["/"] = answer(200)
    said = run("webhook+" + server.url(), [LINES] * 5)[:-1]
    assert all(verdicts(one) == {"taken"} for one in said) and server.connections == 1, said


def test_proxies_are_named_or_not_used():
    proxy, server = Server(), Server()
    server.answers["/"] = answer(200)
    environment = {name: proxy.url() for name in ("http_proxy", "HTTP_PROXY", "all_proxy")}
    assert verdicts(webhook(server, environment=environment)) == {"taken"}
    assert not proxy.requests
    proxy.answers["http://a.invalid/x"] = answer(200)
    said = run("webhook+http://a.invalid/x", form=f"ecs,proxy=127.0.0.1,proxy-port={proxy.port}")[0]
    assert verdicts(said) == {"taken"}, said


def test_large_bodies_do_not_wait_for_a_word():
    server = Server()
    server.answers["/"] = answer(200)
    assert verdicts(webhook(server, requests=(['{"a":"' + "x" * 1100000 + '"}'],))) == {"taken"}
    assert "expect" not in server.requests[0].headers


# -- who we are --------------------------------------------------------------------------------------


def test_secrets_are_sent_and_never_told():
    server = Server()
    pair = base64.b64encode(f"me:{SECRET}".encode()).decode()
    echo = []

    def tell(connection, request):
        echo.append(request.headers)
        return answer(403, f"{request.headers} {SECRET} {pair}")(connection, request)
    server.answers["/"] = tell
    token, header = put_file("token", SECRET + "\n"), put_file("header", f"X-Key: {SECRET}\n")
    cases = ((f"token-file={token}", "authorization", "Bearer " + SECRET),
             (f"user=me,password-file={token}", "authorization", "Basic " + pair),
             (f"header-file={header}", "x-key", SECRET),
             ("token-file=$HOUSE", "authorization", "Bearer " + SECRET),
             ("token-file=$CREDENTIALS_DIRECTORY/token", "authorization", "Bearer " + SECRET))
    for settings, name, value in cases:
        said = run("webhook+" + server.url(), form="ecs," + settings,
                   environment={"HOUSE": SECRET, "CREDENTIALS_DIRECTORY": ROOM.name})
        assert echo.pop()[name] == value, settings
        assert verdicts(said[0]) == {"misconfigured"} and pair not in json.dumps(said), said
        assert "without TLS" in said[-1] or settings.startswith("token-file=$HOUSE"), said[-1]


def test_secrets_are_read_again():
    server = Server()
    token = put_file("changing", "first\n")
    server.answers["/"] = answer(200)
    run("webhook+" + server.url(), [LINES, "!reopen\n", LINES], form=f"ecs,token-file={token}",
        between=lambda number: number == 1 and put_file("changing", "second\n"))
    assert [one.headers["authorization"] for one in server.requests] == ["Bearer first", "Bearer second"]


def test_what_cannot_be_used_is_said_at_the_start():
    token = put_file("token", SECRET + "\n")
    empty, two = put_file("empty", ""), put_file("two", "a\nb\n")
    for destination, form, text in (
            ("webhook+http://me:pw@h/", "ecs", "list of processes"),
            ("webhook+http://h/", "table", "takes JSON"),
            ("otlp+grpc://h/x", "otlp", "its own path"),
            ("elasticsearch+http://h", "ecs", "names no index"),
            ("elasticsearch+http://h/Upper", "ecs", "no name of an index"),
            ("elasticsearch+ftp://h/i", "ecs", "is no URL of it"),
            ("splunk+https://h", "ecs", "wants token-file="),
            ("webhook+http:///", "ecs", "names no HOST"),
            ("webhook+http://h:99999999/", "ecs", "names no HOST"),
            ("webhook+http://h/", "ecs,ca=/x", "are for TLS"),
            ("webhook+https://h/", "ecs,cert=/x", "come together"),
            ("webhook+http://h/", "ecs,user=a", "come together"),
            ("webhook+https://h/", "ecs,pin=x", "pin="),
            ("webhook+http://h/", f"ecs,user=a,password-file={token},token-file={token}", "together"),
            ("webhook+http://h/", "ecs,proxy-port=1", "wants proxy="),
            ("webhook+http://h/", "ecs,token-file=/nowhere/x", "No such file"),
            ("webhook+http://h/", "ecs,token-file=$NOBODY_SET_THIS", "no such name"),
            ("webhook+http://h/", f"ecs,token-file={empty}", "is empty"),
            ("webhook+http://h/", f"ecs,token-file={two}", "more than one line"),
            ("webhook+http://h/", "ecs,tokenfile=x", "did you mean 'token-file'")):
        said = refusal(destination, form)
        assert text in said, (destination, form, said)


# -- TLS ---------------------------------------------------------------------------------------------


def pin_of(certificate):
    key = subprocess.run(f"openssl x509 -in {certificate} -pubkey -noout | openssl pkey -pubin -outform DER",
                         shell=True, check=True, capture_output=True).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()


def test_tls_is_verified():
    with Certificates() as files:
        ca = f"ecs,ca={files['ca.pem']}"
        files.openssl("req", *files.key("elsewhere"), "-out", files["elsewhere.csr"], "-subj", "/CN=x",
                      "-addext", "subjectAltName=DNS:elsewhere.invalid")
        files.openssl("x509", "-req", "-in", files["elsewhere.csr"], "-CA", files["ca.pem"], "-CAkey",
                      files["ca.key"], "-CAcreateserial", "-out", files["elsewhere.pem"], "-days", "9",
                      "-copy_extensions", "copy")
        for name, form, verdict in (("server", ca, "taken"), ("late", ca, "misconfigured"),
                                    ("stranger", ca, "misconfigured"), ("server", "ecs", "misconfigured"),
                                    ("elsewhere", ca, "misconfigured"),
                                    ("server", f"{ca},pin={pin_of(files['server.pem'])}", "taken"),
                                    ("other", f"{ca},pin={pin_of(files['server.pem'])}", "misconfigured")):
            server = Server((files[name + ".pem"], files[name + ".key"]))
            server.answers["/"] = answer(200)
            said = webhook(server, form=form)
            assert verdicts(said) == {verdict}, (name, form, said)
            assert bool(server.requests) == (verdict == "taken"), name
        server = Server((files["server.pem"], files["server.key"], files["ca.pem"]))
        server.answers["/"] = answer(200)
        client = f"{ca},cert={files['client.pem']},key={files['client.key']}"
        assert verdicts(webhook(server, form=client)) == {"taken"}
        said = webhook(server, form=ca)
        # Its alert is lost where the connection is reset at once: then it is not known what was wrong.
        assert verdicts(said) <= {"again", "misconfigured"} and not server.requests[1:], said
        plain = Server()
        said = run(f"webhook+https://127.0.0.1:{plain.port}/", form=ca)[0]
        assert verdicts(said) <= {"again", "misconfigured"}, said


def test_the_sandbox_leaves_names_and_tls():
    with Certificates() as files:
        server = Server((files["server.pem"], files["server.key"]))
        server.answers["/"] = answer(200)
        said = run(f"webhook+https://localhost:{server.port}/", [LINES, LINES], form=f"ecs,ca={files['ca.pem']}",
                   environment={"DELIVER_SANDBOX": "1"})
        assert all(verdicts(one) == {"taken"} for one in said[:-1]), said


if __name__ == "__main__":
    run_tests(globals())
