#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real events on their way to a destination: the whole path, with and without a spool, over deaths.

usage: test_ship.py PROGRAM
"""
import base64
import gzip
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import PROGRAM, Sensor, argument, await_, call, kept, metrics, run_tests, spool_said  # noqa: E402


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # who was killed hangs up
            super().handle_error(request, client_address)


class Receiver:
    """Takes lines: as a webhook, or by _bulk, where it refuses what `refuses` says."""

    def __init__(self, port=0, refuses=lambda event: False, token=None):
        self.events, receiver, self.token, self.denied = [], self, token, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                if len(body) < size:
                    raise ConnectionAbortedError
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                lines = [json.loads(line) for line in body.splitlines() if line]
                is_bulk = self.path.split("?")[0].endswith("_bulk")
                events = lines[1::2] if is_bulk else lines
                if receiver.token and self.headers["Authorization"] != f"Bearer {receiver.token}":
                    receiver.denied += 1
                    self.send_response(401)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                items = [{"create": {"status": 400, "error": {"type": "t", "reason": "not this"}}
                          if refuses(event) else {"status": 201}} for event in events]
                receiver.events += [event for event in events if not is_bulk or not refuses(event)]
                text = json.dumps({"errors": True, "items": items}).encode() if is_bulk else b""
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def numbers(self):
        return [argument(event, "flags") for event in self.events if event["eventName"] == "process_mrelease"]

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def test_every_event_arrives_once_from_memory():
    receiver = Receiver()
    sensor = Sensor(f"json:webhook+http://127.0.0.1:{receiver.port}/x")
    call(1, 500)
    said = sensor.end()
    receiver.end()
    assert sorted(receiver.numbers()) == list(range(1, 501)), said
    assert "500 delivered, 0 dropped" in said and "0 rejected" in said, said


def test_what_is_refused_holds_nobody_up_and_is_counted():
    receiver = Receiver(refuses=lambda event: argument(event, "flags") % 100 == 7)
    sensor = Sensor(f"json:elasticsearch+http://127.0.0.1:{receiver.port}/events")
    call(1, 300)
    said = sensor.end()
    receiver.end()
    assert len(set(receiver.numbers())) == 297, said
    assert "297 delivered, 0 dropped" in said and "3 rejected" in said and "not this" in said, said
    assert "json needs the index template" in sensor.said, sensor.said


def test_ecs_has_an_id_and_a_host_and_needs_no_warning():
    receiver = Receiver()
    sensor = Sensor(f"ecs:elasticsearch+http://127.0.0.1:{receiver.port}/events")
    call(1, 3)
    said = sensor.end()
    receiver.end()
    events = [event for event in receiver.events if event["event"]["action"] == "process_mrelease"]
    assert "index template" not in sensor.said and len(events) == 3, said
    ids = {event["event"]["id"] for event in events}
    assert len(ids) == 3 and all(re.fullmatch("[0-9a-f]{16}-[0-9a-f]{16}-0[.][0-9]+[.][0-9]+", one) for one in ids), ids
    for event in events:
        host = event["host"]
        assert host["name"] == os.uname().nodename and host["os"]["kernel"] == os.uname().release, event
        assert event["process"]["executable"] and event["event"]["outcome"] == "failure", event
        assert event["host"]["boot"]["id"].replace("-", "")[:16] == event["event"]["id"][:16], event


def test_what_is_refused_of_a_spool_is_kept():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver(refuses=lambda event: argument(event, "flags") == 7)
        sensor = Sensor(f"json,spool={room}/s:elasticsearch+http://127.0.0.1:{receiver.port}/events")
        call(1, 20)
        assert await_(lambda: len(receiver.events) == 19)
        said = sensor.end()
        receiver.end()
        assert spool_said(said) == [20, 19, 1, 0, 0], said
        with open(f"{room}/s/refused.ndjson", encoding="utf-8") as file:
            kept = [json.loads(line) for line in file]
        assert len(kept) == 1 and kept[0]["event"] == "process_mrelease" and "not this" in kept[0]["reason"]
        assert argument(json.loads(base64.b64decode(kept[0]["base64"])), "flags") == 7 and kept[0]["id"]


def test_half_a_line_of_a_full_disk_spoils_no_other():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver(refuses=lambda event: True)
        output = f"json,spool={room}/s:elasticsearch+http://127.0.0.1:{receiver.port}/events"
        Sensor(output).end()
        with open(f"{room}/s/refused.ndjson", "a", encoding="utf-8") as file:
            file.write('{"refused_ns":1,"id":"to')
        sensor = Sensor(output)
        call(1, 1)
        assert await_(lambda: "\n{" in open(f"{room}/s/refused.ndjson", encoding="utf-8").read())
        said = sensor.end()
        receiver.end()
        with open(f"{room}/s/refused.ndjson", encoding="utf-8") as file:
            lines = file.read().splitlines()
        assert len(lines) == 2 and json.loads(lines[1])["event"] == "process_mrelease", (lines, said)


def test_what_is_refused_stays_within_the_budget():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver(refuses=lambda event: True)
        sensor = Sensor(f"json,spool={room}/s,spool-size=4M:elasticsearch+http://127.0.0.1:{receiver.port}/events")
        call(1, 400)
        time.sleep(1.5)  # a line a second says what was refused
        call(401, 1)
        time.sleep(0.5)
        said = sensor.end()
        receiver.end()
        assert spool_said(said) == [401, 0, 401, 0, 0] and "refused.ndjson is full" in said, said
        assert 200 << 10 < os.stat(f"{room}/s/refused.ndjson").st_size <= 256 << 10


def test_an_outage_costs_nothing_and_the_next_run_sends_it():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver()
        output = f"json,spool={room}/s:webhook+http://127.0.0.1:{receiver.port}/x"
        receiver.end()
        sensor = Sensor(output, "--output", f"grpc:unix:{room}/g")
        call(1, 300)
        assert await_(lambda: metrics(room)["appended_total"] == 300 and metrics(room)["resent_total"] > 0)
        told = metrics(room)
        assert told["pending"] == 300 and told["bytes"] > 300 * 500, told
        assert told["acknowledged_total"] == told["refused_total"] == told["lost_total"] == 0, told
        assert 0 <= told["oldest_seconds"] < 60, told
        assert told["retries_total"] > 0 and told["resent_total"] > 0, told
        assert told["last_success_timestamp_seconds"] == 0, told
        said = sensor.end()
        assert re.search(r", \d+ sent again in \d+ requests", said), said
        assert spool_said(said) == [300, 0, 0, 0, 300] and "300 kept in the spool" in said, said
        receiver = Receiver(receiver.port)
        sensor = Sensor(output)
        sensor.run.send_signal(signal.SIGHUP)  # secrets are read again; the spool goes on
        call(301, 100)
        assert await_(lambda: len(set(receiver.numbers())) == 400)
        said = sensor.end()
        receiver.end()
        assert "nobody watched in the last" in sensor.said, sensor.said
        assert receiver.numbers() == list(range(1, 401)), "each once, in order"
        assert spool_said(said) == [400, 400, 0, 0, 0], said


def test_when_it_was_last_acknowledged_is_told_and_counts_on_over_deaths():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver()
        sensor = Sensor(f"json,spool={room}/s:webhook+http://127.0.0.1:{receiver.port}/x", "--output",
                        f"grpc:unix:{room}/g", "--control", f"{room}/c")
        begin = int(time.time())
        call(1, 10)
        assert await_(lambda: metrics(room)["last_success_timestamp_seconds"] >= begin), metrics(room)
        last = metrics(room)["last_success_timestamp_seconds"]
        sensor.kill_side("http")
        sensor.until("has died")
        assert metrics(room)["last_success_timestamp_seconds"] == last
        said = subprocess.run([PROGRAM, "ctl", "--control", f"{room}/c", "status"], capture_output=True, text=True,
                              timeout=20, check=True).stdout
        assert f"last acknowledged: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(last))}\n" in said, said
        sensor.end()
        receiver.end()


def test_a_destination_that_is_not_there_is_told_before_there_is_an_event():
    sensor = Sensor("json:webhook+http://no-such-host.invalid/x")
    said = sensor.until("nothing can be delivered there") if "nothing can" not in sensor.said else sensor.said
    assert "webhook: Could not resolve host: no-such-host.invalid: nothing can be delivered there" in said, said
    sensor.end()
    receiver = Receiver()
    receiver.end()
    sensor = Sensor(f"json:webhook+http://127.0.0.1:{receiver.port}/x")
    if "nothing can" not in sensor.said:
        sensor.until("nothing can be delivered there")
    receiver = Receiver(receiver.port)
    call(1, 1)
    assert "tried again" not in sensor.until("webhook: works again"), "the first event says it no more"
    assert receiver.numbers() == [1]
    sensor.end()
    receiver.end()


def test_what_was_tried_for_long_is_given_up():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver()
        receiver.end()
        sensor = Sensor(f"json,spool={room}/s,give-up=1s:webhook+http://127.0.0.1:{receiver.port}/x")
        call(1, 7)
        assert "refused for good" in sensor.until("given up after 1 s: ")
        said = sensor.end()
        assert spool_said(said) == [7, 0, 7, 0, 0], said
        with open(f"{room}/s/refused.ndjson", encoding="utf-8") as file:
            assert all("given up after 1 s" in line for line in file)


def test_deaths_of_both_processes_lose_nothing_that_was_kept():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver()
        output = f"json,spool={room}/s:webhook+http://127.0.0.1:{receiver.port}/x"
        called = 0
        for death in range(8):
            sensor = Sensor(output)
            for _ in range(3):
                call(called + 1, 100)
                called += 100
                if death % 2:
                    sensor.kill_side("http")
            if death % 2:
                sensor.end()
            else:
                # What is still in the rings dies with the process; what is in the spool may be on its way just now.
                assert await_(lambda: kept(f"{room}/s")["appended"] == called, 60), kept(f"{room}/s")
                sensor.kill()
        sensor = Sensor(output)
        await_(lambda: kept(f"{room}/s")["pending"] == 0, 60)
        said = sensor.end()
        receiver.end()
        missing = set(range(1, called + 1)) - set(receiver.numbers())
        assert not missing, (len(missing), said)
        assert spool_said(said)[0] == called and spool_said(said)[3:] == [0, 0], said


def test_what_the_budget_takes_is_told_exactly():
    with tempfile.TemporaryDirectory() as room:
        receiver = Receiver()
        output = f"json,spool={room}/s,spool-size=4M,queue=32M:webhook+http://127.0.0.1:{receiver.port}/x"
        receiver.end()
        sensor = Sensor(output)
        for first in range(1, 12001, 500):
            call(first, 500)
            time.sleep(0.02)
        said = sensor.end()
        assert spool_said(said)[0] == 12000, said
        size = sum(os.stat(f"{room}/s/{name}").st_size for name in os.listdir(f"{room}/s"))
        assert size <= 4 << 20, size
        receiver = Receiver(receiver.port)
        sensor = Sensor(output, "--extra", "id")
        await_(lambda: 12000 in receiver.numbers())
        said = sensor.end()
        receiver.end()
        lost = sum(int(argument(event, "count")) for event in receiver.events
                   if event["eventName"] == "events_lost" and argument(event, "cause") == "spool_full")
        assert all(argument(event, "id") for event in receiver.events if event["eventName"] == "events_lost")
        got = len(set(receiver.numbers()))
        assert lost and got + lost == 12000, (got, lost, said)
        at = [i for i, event in enumerate(receiver.events) if event["eventName"] == "events_lost"][0]
        before, after = receiver.events[at - 1] if at else None, receiver.events[at + 1]
        first = argument(before, "flags") if before else 0
        assert argument(after, "flags") - first - 1 == int(argument(receiver.events[at], "count")), "its place"
        assert spool_said(said) == [12000, got, 0, lost, 0], said


def test_a_token_that_was_replaced_is_read_again():
    """At a 401 by itself, and by a SIGHUP; its directory is named by the environment."""
    with tempfile.TemporaryDirectory() as room:
        def write(token):
            with open(f"{room}/new", "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as to:
                to.write(token + "\n")
            os.rename(f"{room}/new", f"{room}/token")

        receiver = Receiver(token="first")
        write("first")
        os.environ["CREDENTIALS_DIRECTORY"] = room
        sensor = Sensor(f"json,token-file=$CREDENTIALS_DIRECTORY/token,spool={room}/s:"
                        f"webhook+http://127.0.0.1:{receiver.port}/x", "--sandbox", "require")
        call(1, 10)
        assert await_(lambda: len(receiver.events) == 10)
        write("second")
        receiver.token = "second"
        call(11, 10)
        assert await_(lambda: len(receiver.events) == 20, 5), "at once, and not after a pause"
        assert receiver.denied == 1, receiver.denied
        receiver.token = "third"  # which is not there yet: it waits up to a minute
        call(21, 10)
        assert await_(lambda: receiver.denied >= 3)
        write("third")
        sensor.run.send_signal(signal.SIGHUP)
        assert await_(lambda: len(receiver.events) == 30, 5), receiver.denied
        os.unlink(f"{room}/token")
        sensor.run.send_signal(signal.SIGHUP)
        call(31, 10)
        assert await_(lambda: len(receiver.events) == 40, 5)
        said = sensor.end()
        receiver.end()
        assert receiver.numbers() == list(range(1, 41)), said
        assert "No such file" in said and "third" not in said, said


if __name__ == "__main__":
    run_tests(globals())
