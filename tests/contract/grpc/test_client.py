#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs stream, metrics and health, against our server.

usage: test_client.py MRELEASE

Prints TAP.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import server
import tap
from certificates import Certificates
from client import Client, verb
from server import WAIT, Server, call, subscribed

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)


def test_lines_are_those_of_run_byte_by_byte():
    with tempfile.NamedTemporaryFile(prefix="mrelease-lines.") as lines, \
            Server(PROGRAM, "--output", "json-v1beta1:" + lines.name, "--events", "default,mlock*",
                   format="grpc-main") as it:
        clients = [Client(it.address, "--count", "30") for _ in range(3)]
        for client in clients:
            client.await_line("connected to")
        subscribed(it, 3)
        for number in range(15):
            call(-1000 - number)
            server.libc.syscall(149, 4096 * number, 2**63)
        for client in clients:
            status, got, said = client.end()
            assert status == 0, said
            time.sleep(0.3)
            with open(lines.name, encoding="utf-8") as file:
                assert got == file.read().splitlines(), said


def test_every_format_of_run_is_there():
    with Server(PROGRAM) as it:
        formats = {"json": "eventName", "json-v0.23": "eventName", "json-v0.24": "eventName",
                   "json-v1beta1": "u_int32", "table": " root ", "none": None}
        clients = {name: Client(it.address, "--count", "2", "--format", name) for name in formats}
        masked = Client(it.address, "--count", "2", "--mask", "name,workload.process.pid")
        for client in [*clients.values(), masked]:
            client.await_line("connected to")
        subscribed(it, len(clients) + 1)
        call(-11)
        call(-12)
        for name, word in formats.items():
            status, got, said = clients[name].end()
            assert status == 0 and (not word or sum(word in line for line in got) == 2), (name, got, said)
        status, got, said = masked.end()
        assert [json.loads(line) for line in got] == [
            {"name": "process_mrelease", "workload": {"process": {"pid": os.getpid()}}}] * 2, (got, said)


def test_it_goes_on_over_restarts():
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        address = "unix:" + os.path.join(directory, "s")
        client = Client(address, "--wait")
        client.await_line("trying again")
        for number in range(3):
            with Server(PROGRAM, address=address):
                line = client.await_line("connected")
                if number:
                    away = float(line.split(" after ")[1].split(" s")[0])
                    assert away <= time.monotonic() - lost + 0.5 and "not shown" in line, line
                subscribed(None, 1)
                call(-21 - number)
            client.await_line("trying again")
            lost = time.monotonic() - 1
        client.process.send_signal(signal.SIGTERM)
        status, got, said = client.end()
    assert status == 0 and [json.loads(line)["data"][0]["int32"] for line in got] == [-21, -22, -23], (got, said)


def test_tls_and_certificates():
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{server.free_port()}",
                                         settings=files.settings()) as it:
        known = ("--ca", files["ca.pem"], "--cert", files["client.pem"], "--key", files["client.key"])
        client = Client(it.address, "--count", "1", *known)
        client.await_line("connected to")
        subscribed(it, 1)
        call(-31)
        status, got, said = client.end()
        assert status == 0 and "-31" in got[0], said
        assert verb("health", "--server", it.address, *known)[:2] == (0, "SERVING\n")
        for arguments, words in (((), "Socket closed"), (("--ca", files["ca.pem"]), "certificate required"),
                                 (("--ca", files["foreign.pem"], *known[2:]), "certificate verify failed"),
                                 (("--ca", files["none.pem"]), "none.pem: No such file"),
                                 (("--ca", files["ca.key"]), "ca.key: no certificate"),
                                 (("--ca", files["ca.pem"], "--cert", files["late.pem"], "--key", files["late.key"]),
                                  "late.pem: the certificate has expired")):
            status, _, said = verb("stream", "--server", it.address, *arguments)
            assert status == 1 and words in said, (arguments, said)
        for arguments, words in ((known[2:], "--cert wants --ca"), (known[:4], "come together")):
            status, _, said = verb("stream", "--server", it.address, *arguments)
            assert status == 2 and words in said, said


def test_metrics_and_health_print_and_tell_by_status():
    with Server(PROGRAM) as it:
        call(count=7)
        time.sleep(0.3)
        status, table, said = verb("metrics", "--server", it.address)
        assert status == 0 and "EventCount         7" in table and "LostEvCount        0" in table, (table, said)
        numbers = json.loads(verb("metrics", "--server", it.address, "--format", "json")[1])
        assert numbers["EventCount"] == 7 and numbers["LostEvCount"] == 0, numbers
        assert verb("health", "--server", it.address)[:2] == (0, "SERVING\n")
        status, _, said = verb("health", "--server", it.address, "--service", "none.such")
        assert status == 1 and said, said
        watcher = subprocess.Popen([PROGRAM, "health", "--watch", "--server", it.address],
                                   stdout=subprocess.PIPE, text=True)
        assert watcher.stdout.readline() == "SERVING\n"
        watcher.send_signal(signal.SIGINT)
        assert watcher.wait(WAIT) == 0
        watcher.stdout.close()
    for name in ("metrics", "health", "stream"):
        status, out, said = verb(name, "--server", it.address)
        assert status == 1 and not out and "No such file" in said, (name, said)


def test_what_an_output_drops_is_told_per_event_and_cause_while_it_drops():
    """Nobody reads the FIFO. The probes lose nothing, and the server serves: a restart would help nobody."""
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        path = os.path.join(directory, "fifo")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        stuck = "json,policy=drop-oldest,queue=32K:" + path
        beside = "json,queue=64M:/dev/null"  # room for all, however late its thread
        with Server(PROGRAM, "--output", stuck, "--output", beside, status=1) as it:
            def ask():
                status, text, said = verb("metrics", "--server", it.address, "--format", "json")
                assert status == 0, said
                return json.loads(text)

            def value(metrics, name, **labels):
                found = [row["value"] for row in metrics["metrics"]
                         if row["name"] == f"mrelease_{name}_total" and row["labels"] == labels]
                assert len(found) == 1, (name, labels, metrics)
                return found[0]

            def dropped(metrics, output, cause="queue_full"):
                return value(metrics, "output_dropped", output=output, event="process_mrelease", cause=cause)

            start = ask()
            assert dropped(start, stuck) == 0, start  # a row is there before it counts
            assert not any(row["value"] for row in start["metrics"] if "cause" in row["labels"]), start
            call(count=5000)
            deadline, before, now = time.monotonic() + 20, start, ask()
            while (before != now or now["EventCount"] < 5000) and time.monotonic() < deadline:
                time.sleep(0.1)
                before, now = now, ask()
            assert dropped(now, stuck) > 1000 and dropped(now, stuck, "write_failed") == 0, now
            assert dropped(now, beside) == 0, now
            assert value(now, "events_read", event="process_mrelease") == 5000 == now["EventCount"], now
            assert now["LostEvCount"] == 0, now
            table = verb("metrics", "--server", it.address)[1]
            assert (f'mrelease_output_dropped_total{{output="{stuck}",event="process_mrelease",cause="queue_full"}} '
                    f'{dropped(now, stuck)}\n') in table, table
            assert verb("health", "--server", it.address)[:2] == (0, "SERVING\n")
            it.process.send_signal(signal.SIGUSR1)
            it.wait_for(f"{dropped(now, stuck)} dropped")
            it.process.send_signal(signal.SIGUSR2)
            os.close(reader)  # and the end waits for nobody


def test_servers_that_are_silent_are_not_waited_for():
    with Server(PROGRAM) as it:
        os.kill(it.side(), signal.SIGSTOP)
        try:
            for name in ("health", "metrics"):
                start = time.monotonic()
                status, out, said = verb(name, "--server", it.address, "--timeout", "700ms")
                assert status == 1 and not out and "Deadline" in said, (name, said)
                assert 0.6 < time.monotonic() - start < 5
        finally:
            os.kill(it.side(), signal.SIGCONT)


def test_a_watcher_is_told_of_the_end():
    with Server(PROGRAM) as it:
        watcher = subprocess.Popen([PROGRAM, "health", "--watch", "--server", it.address],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert watcher.stdout.readline() == "SERVING\n"
        assert it.stop() < (10 if it.is_sanitized else 0.8)
        out, said = watcher.communicate(timeout=WAIT)
        assert watcher.returncode == 1 and "the server ends" in said, said


def test_a_signal_ends_it_also_where_nobody_reads():
    with Server(PROGRAM) as it:
        reader, writer = os.pipe()
        client = Client(it.address, stdout=writer)
        os.close(writer)
        client.await_line("connected to")
        subscribed(it, 1)
        call(count=2000)
        time.sleep(1)
        client.process.send_signal(signal.SIGTERM)
        status, _, said = client.end()
        os.close(reader)
        assert status == 0, said


def test_wrong_words_are_named():
    for arguments, words in ((("stream", "--server", "udp:x"), "unix:PATH or tcp:HOST:PORT"),
                             (("stream", "--format", "jsn"), "'json'"), (("stream", "--maks", "x"), "mask"),
                             (("metrics", "--format", "xml"), "table"), (("stream", "more"), "more"),
                             (("strem",), "'stream'"), (("stream", "--ca", "x", "--server", "unix:/x"), "TLS")):
        status, _, said = verb(*arguments)
        assert status == 2 and words in said, (arguments, said)
    for arguments, words in ((("--server", "tcp:nothing"), "tcp:HOST:PORT"), (("--server", "tcp:localhost:"), "65535"),
                             (("--server", "unix:" + "x" * 200), "a path of"),
                             (("--mask", "name,wrkload.process"), "'workload'"),
                             (("--mask", "workload.process.pit"), "'pid'")):
        status, _, said = verb("stream", *arguments)
        assert status == 2 and words in said and said.count("\n") == 1, (arguments, said)


def test_who_cannot_write_says_so():
    with Server(PROGRAM) as it:
        reader, writer = os.pipe()
        client = Client(it.address, stdout=writer)
        os.close(writer)
        client.await_line("connected to")
        subscribed(it, 1)
        os.close(reader)
        call()
        status, _, said = client.end()
        assert status == 1 and "standard output takes nothing" in said, said
        with open("/dev/full", "w", encoding="ascii") as full:
            client = Client(it.address, stdout=full)
            client.await_line("connected to")
            subscribed(it, 1)
            call()
            status, _, said = client.end()
        assert status == 1 and "standard output takes nothing" in said, said


@tap.beside
def test_a_reader_that_pauses_loses_nothing_unsaid():
    with Server(PROGRAM) as it:
        client = Client(it.address)
        client.await_line("connected to")
        subscribed(it, 1)
        call(count=50000)
        time.sleep(9)  # longer than keepalive, and than a socket may stay full
        shown = missing = 0
        while shown + missing < 50000:
            event = json.loads(client.process.stdout.readline())
            if event["name"] == "events_lost":
                missing += sum(int(datum["u_int64"]) for datum in event["data"] if datum["name"] == "count")
            else:
                shown += 1
        client.process.send_signal(signal.SIGTERM)
        status, _, said = client.end()
        assert status == 0 and "again" not in said and shown + missing == 50000 and missing, (shown, missing, said)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        tap.run(globals(), PROGRAM)
