#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Destinations spoken to by HTTP, each before a server of its kind; and what docs/destinations says of them.

usage: test_destinations.py DELIVER    (the program of deliver.c)
"""
import base64
import gzip
import hmac
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../grpc"), os.path.join(HERE, "..")]
from certificates import Certificates  # noqa: E402
from delivering import LINES, SECRET, put_file, run, run_tests, verdicts  # noqa: E402
from hostile import Server, answer  # noqa: E402


def test_webhooks_are_signed():
    server = Server()
    server.answers["/hook"] = [answer(503), answer(200)]
    keys = [b"first key", b"second"]
    path = put_file("signing", f"whsec_{base64.b64encode(keys[0]).decode()} {keys[1].decode()}\n")
    for form, kind, body in (("lines", "application/x-ndjson", "".join(one + "\n" for one in LINES)),
                             ("array", "application/json", "[" + ",".join(LINES) + "]")):
        server.requests.clear()
        server.answers["/hook"] = [answer(503), answer(200)]
        run("webhook+" + server.url("/hook"), [LINES, LINES],
            form=f"ecs,body={form},compress=gzip,signing-key-file={path}")
        ids = [one.headers["webhook-id"] for one in server.requests]
        assert len(ids) == 2 and ids[0] == ids[1], ids
        for one in server.requests:
            text = gzip.decompress(one.body) if "content-encoding" in one.headers else one.body
            assert text == body.encode() and one.headers["content-type"] == kind, text
            signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + text
            expected = " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
                                for key in keys)
            assert one.headers["webhook-signature"] == expected
            assert abs(int(one.headers["webhook-timestamp"]) - time.time()) < 60


def bulk(items, **more):
    return json.dumps(dict({"errors": True, "items": [{"create": one} for one in items]}, **more))


def test_bulk_has_a_verdict_for_each():
    server = Server()
    said = [{"status": 201}, {"status": 409, "error": {"type": "version_conflict_engine_exception"}},
            {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "r " + SECRET}},
            {"status": 429, "error": {"type": "es_rejected_execution_exception"}},
            {"status": 403, "error": {"type": "cluster_block_exception", "reason": "blocked"}},
            {"status": 404}, {"status": 503}, {"status": 400, "error": {"type": "validation_exception"}},
            {"status": 200}, {"status": 302}]
    server.answers["/i/_bulk"] = answer(200, bulk(said))
    token = put_file("token", SECRET)
    lines = [f'{{"a":{i}}}' for i in range(len(said))]
    judged = run("elasticsearch+" + server.url("/i"), [lines], form=f"ecs,token-file={token}")[0]
    assert judged["verdicts"] == ["taken", "taken", "refused", "again", "misconfigured", "misconfigured",
                                  "again", "misconfigured", "taken", "again"], judged
    assert judged["reasons"][2].startswith("400 mapper_parsing_exception: r ***"), judged
    request = server.requests[0]
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["authorization"] == "ApiKey " + SECRET
    sent = request.body.decode().splitlines()
    assert sent[1::2] == lines and request.body.endswith(b"\n")
    ids = [json.loads(one)["create"]["_id"] for one in sent[::2]]
    assert len(set(ids)) == len(lines), ids


def test_answers_that_are_none_judge_nothing():
    server = Server()
    right = [{"status": 201}] * 4
    for body in ("", "{", "[]", "null", '{"items":[]}', bulk(right[:3]), bulk(right + right), bulk([5] * 4),
                 bulk([{}] * 4), bulk([{"status": "201"}] * 4), '{"items":{"a":1,"b":2,"c":3,"d":4}}',
                 '{"items":[1,2,3,4]}', "[" * 100000, '{"items":' + "[" * 5000, "\0" * 100, "\xff" * 100):
        server.answers["/i/_bulk"] = answer(200, body)
        said = run("elasticsearch+" + server.url("/i"))[0]
        assert verdicts(said) == {"again"}, (body[:60], said)
    wide = bulk([{"status": 400, "error": {"type": "t" * 1000, "reason": "\u202e" * 100}}] * 4)
    server.answers["/i/_bulk"] = answer(200, wide)
    assert verdicts(run("elasticsearch+" + server.url("/i"))[0]) == {"refused"}


def test_otlp_says_how_many():
    server = Server()

    def partial(rejected, text):
        inner = b"\x08" + bytes([rejected]) + b"\x12" + bytes([len(text)]) + text
        return b"\x0a" + bytes([len(inner)]) + inner

    for body, verdict in ((b"", ["taken"] * 4), (b"\x0a\x00", ["taken"] * 4),
                          (partial(2, b"too old"), ["taken"] * 2 + ["refused"] * 2),
                          (partial(0, b"a warning"), ["taken"] * 4), (partial(9, b""), ["refused"] * 4),
                          (b"\xff" * 20, ["again"] * 4), (b"\x0a\x7f", ["again"] * 4)):
        server.answers["/v1/logs"] = answer(200, body)
        said = run("otlp+" + server.url(""), form="otlp")[0]
        assert said["verdicts"] == verdict, (body, said)
    for status, verdict in ((429, "again"), (502, "again"), (503, "again"), (504, "again"),
                            (500, "misconfigured"), (400, "again"), (404, "misconfigured")):
        server.answers["/v1/logs"] = answer(status)
        said = run("otlp+" + server.url(""), form="otlp")[0]
        assert verdicts(said) == {verdict}, (status, said)
    assert server.requests[0].headers["content-type"] == "application/x-protobuf"


def grpc_server(behave, files=None):
    import grpc
    from concurrent.futures import ThreadPoolExecutor
    method = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(behave) if details.method == method else None
    server = grpc.server(ThreadPoolExecutor(4), handlers=(Handler(),))
    if files:
        keys = grpc.ssl_server_credentials([(files.read("server.key"), files.read("server.pem"))])
        port = server.add_secure_port("127.0.0.1:0", keys)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def test_grpc_has_a_status():
    import grpc
    retry = (b"\x08\x08\x1a" + bytes([2 + 40 + 2 + 4])
             + b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07")
    asked = {}

    def behave(message, context):
        asked["size"] = len(message)
        code, details = asked["code"]
        if details:
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
        if code:
            context.abort({one.value[0]: one for one in grpc.StatusCode}[code], "why " + SECRET)
        return asked.get("answer", b"\x0a\x00")
    with Certificates() as files:
        plain, plain_port = grpc_server(behave)
        secure, secure_port = grpc_server(behave, files)
        token = put_file("token", SECRET)
        table = {0: "taken", 1: "again", 3: "again", 4: "again", 5: "misconfigured", 7: "misconfigured",
                 8: "again", 10: "again", 11: "again", 12: "misconfigured", 14: "again", 15: "again",
                 16: "misconfigured"}
        for destination, form in ((f"otlp+grpc://127.0.0.1:{plain_port}", "otlp"),
                                  (f"otlp+grpcs://127.0.0.1:{secure_port}", f"otlp,ca={files['ca.pem']}")):
            form += f",token-file={token}"
            for code, verdict in table.items():
                asked["code"] = (code, None)
                said = run(destination, form=form)[0]
                assert verdicts(said) == {verdict}, (destination, code, said)
                assert said["halve"] == (code in (3, 8)), (code, said)
            asked["code"] = (8, retry)
            said = run(destination, form=form)[0]
            assert verdicts(said) == {"again"} and not said["halve"] and said["wait_ms"] == 7000, said
            asked["code"] = (0, None)
            said = run(destination, [LINES] * 30, form=form)[:-1]
            assert all(verdicts(one) == {"taken"} for one in said), said
        plain.stop(None)
        secure.stop(None)


def test_victorialogs_drops_nothing_unseen():
    server = Server()
    server.answers["/insert/jsonline"] = answer(200)
    lines = LINES[:1] + ['{"m":"' + "x" * 262144 + '"}'] + LINES[1:2]
    said = run("victorialogs+" + server.url(""), [lines])[0]
    assert said["verdicts"] == ["taken", "refused", "taken"], said
    assert server.requests[0].headers["content-type"] == "application/stream+json"
    assert "_time_field=@timestamp" in server.requests[0].target


def test_loki_has_streams():
    server = Server()
    server.answers["/loki/api/v1/push"] = answer(204)
    assert verdicts(run("loki+" + server.url(""), form="ecs,tenant=t1")[0]) == {"taken"}
    request = server.requests[0]
    streams = json.loads(request.body)["streams"]
    assert [value[1] for one in streams for value in one["values"]] == LINES
    assert set(streams[0]["stream"]) == {"job", "host", "event"} and request.headers["x-scope-orgid"] == "t1"
    assert all(value[0].isdigit() and len(value[0]) == 19 for one in streams for value in one["values"])
    server.answers["/loki/api/v1/push"] = answer(400, "too old")
    said = run("loki+" + server.url(""))[0]
    assert verdicts(said) == {"refused"} and not said["halve"], said


def test_splunk_waits_until_it_is_indexed():
    server = Server()
    event, ack = "/services/collector/event", "/services/collector/ack"
    token = put_file("token", SECRET)
    form = f"ecs,index=main,token-file={token}"
    server.answers[event] = answer(200, '{"text":"Success","code":0,"ackId":7}')
    server.answers[ack] = [answer(200, '{"acks":{"0":false}}'), answer(200, '{"acks":{"7":false}}'),
                           answer(200, '{"acks":{"7":true}}')]
    said = run("splunk+" + server.url(""), form=form)[0]
    assert verdicts(said) == {"taken"}, said
    sent = [one for one in server.requests if one.path == event][0]
    parts = [json.loads(one) for one in sent.body.decode().splitlines()]
    assert [json.dumps(one["event"], separators=(",", ":")) for one in parts] == LINES
    assert sent.headers["authorization"] == "Splunk " + SECRET and parts[0]["index"] == "main"
    assert "x-splunk-request-channel" in sent.headers and parts[0]["fields"]["id"]
    server.requests.clear()
    server.answers[ack] = answer(400, '{"text":"ACK is disabled","code":14}')
    said = run("splunk+" + server.url(""), form=form)[0]
    assert verdicts(said) == {"misconfigured"} and not [one for one in server.requests if one.path == event]
    assert verdicts(run("splunk+" + server.url(""), form=form + ",no-acks=true")[0]) == {"taken"}
    for status, body, verdict in (
            (403, '{"text":"Token disabled","code":1}', ["misconfigured"] * 4),
            (400, '{"text":"Invalid data format","code":6,"invalid-event-number":2}',
             ["again", "again", "refused", "again"]),
            (400, '{"text":"Invalid data format","code":6,"invalid-event-number":99}', ["again"] * 4),
            (400, '{"text":"Incorrect index","code":7}', ["misconfigured"] * 4),
            (503, '{"text":"Server is busy","code":9}', ["again"] * 4),
            (500, "<html>", ["again"] * 4), (200, "", ["again"] * 4), (200, '{"code":"0"}', ["again"] * 4)):
        server.answers[event] = answer(status, body)
        said = run("splunk+" + server.url(""), form=form + ",no-acks=true")[0]
        assert said["verdicts"] == verdict, (body, said)


# -- what docs/destinations says ---------------------------------------------------------------------

CODES = [200, 202, 301, 307, 400, 401, 403, 404, 405, 407, 408, 410, 413, 415, 422, 425, 429, 500, 501, 502, 503,
         504, 505, 599]
ITEMS, HEC, GRPC = [200, 201, 400, 401, 403, 404, 408, 409, 429, 503], \
    [*range(16), 18, 19, 20, 23, 26], list(range(17))


def page_of(name):
    """What its tables say: {("HTTP", 400): "halved", …}."""
    with open(os.path.join(HERE, f"../../../docs/destinations/{name}.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| (HTTP|item|code|gRPC) ([0-9x, ]+) \| (\w+) \|", file.read(), re.M)
    said = {}
    for kind, numbers, meaning in rows:
        for number in numbers.split(", "):
            codes = [code for code in CODES if str(code)[0] == number[0]] if "x" in number else [int(number)]
            for code in codes:
                assert (kind, code) not in said, (name, kind, code)
                said[kind, code] = meaning
    return said


def meaning_of(said):
    verdict, = verdicts(said)
    return "halved" if said["halve"] else verdict


def judge(destination, server, path, kind, codes, make, **how):
    """What becomes of requests that are answered so, one after the other."""
    server.answers[path] = [make(code) for code in codes]
    said = run(destination, [LINES] * len(codes), **how)[:-1]
    return {(kind, code): meaning_of(one) for code, one in zip(codes, said)}


def test_pages_say_what_answers_mean():
    token = put_file("token", SECRET)
    pages = {"elasticsearch": ("/i", "/i/_bulk", "ecs"), "webhook": ("/", "/", "ecs"),
             "victorialogs": ("", "/insert/jsonline", "ecs"), "loki": ("", "/loki/api/v1/push", "ecs"),
             "splunk": ("", "/services/collector/event", f"ecs,no-acks=true,token-file={token}"),
             "otlp": ("", "/v1/logs", "otlp")}
    for name, (url, path, form) in pages.items():
        server = Server()
        destination = f"{name}+" + server.url(url)

        def http(code):
            full = bulk([{"status": 201}] * len(LINES)) if name == "elasticsearch" and code < 300 else ""
            return answer(code, full)
        found = judge(destination, server, path, "HTTP", CODES, http, form=form)
        if name == "elasticsearch":
            found |= judge(destination, server, path, "item", ITEMS,
                           lambda code: answer(200, bulk([{"status": code}] * len(LINES))), form=form)
        elif name == "splunk":
            found |= judge(destination, server, path, "code", HEC,
                           lambda code: answer(200 if not code else 400, json.dumps({"text": "", "code": code})),
                           form=form)
        elif name == "otlp":
            found |= judge_grpc()
        wanted = page_of(name)
        assert found == wanted, (name, {one: (found.get(one), wanted.get(one)) for one in found.keys() | wanted.keys()
                                        if found.get(one) != wanted.get(one)})


def judge_grpc():
    import grpc
    kinds, asked = {one.value[0]: one for one in grpc.StatusCode}, list(GRPC)

    def behave(_message, context):
        code = asked.pop(0)
        if code:
            context.abort(kinds[code], "why")
        return b"\x0a\x00"
    server, port = grpc_server(behave)
    said = run(f"otlp+grpc://127.0.0.1:{port}", [LINES] * len(GRPC), form="otlp")[:-1]
    server.stop(None)
    return {("gRPC", code): meaning_of(one) for code, one in zip(GRPC, said)}


if __name__ == "__main__":
    run_tests(globals())
