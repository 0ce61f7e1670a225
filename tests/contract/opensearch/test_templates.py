#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds packaging/opensearch/ against the schemas of the dialects, and against a real store.

usage: test_templates.py MRELEASE

Every text, number and truth that a schema allows must have a place in the template that takes it.
Where OPENSEARCH names the address of an OpenSearch or Elasticsearch (http://127.0.0.1:9200), events
with and without extras are written there, in each dialect: all must be taken, and found again.
"""
import glob
import json
import os
import subprocess
import sys
import traceback
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../../..")
CAPTURES = os.path.join(HERE, "../falco/captures/*.cap")
EXTRAS = "seq,target,bytes,outcome,time,mlock,exe,container"
TEMPLATES = {"json-v0.23": "classic", "json-v0.24": "classic", "json-v1beta1": "v1beta1"}

# What takes which type of JSON: a keyword every scalar, a number also the text of one.
TAKES = {
    "keyword": {"string", "integer", "boolean"},
    "long": {"integer", "string"},
    "unsigned_long": {"integer", "string"},
    "integer": {"integer"},
    "boolean": {"boolean"},
    "date_nanos": {"string"},
}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return json.load(file)


def leaves(schema, part, path=()):
    """(path, types) of everything that is no object and no list; lists are their elements."""
    if "$ref" in part:
        yield from leaves(schema, schema["definitions"][part["$ref"].rsplit("/", 1)[1]], path)
        return
    for key in ("anyOf", "allOf", "oneOf"):
        for one in part.get(key, []):
            yield from leaves(schema, one, path)
    for key, value in part.get("properties", {}).items():
        yield from leaves(schema, value, path + (key,))
    items = part.get("items", [])
    for one in items if isinstance(items, list) else [items]:
        yield from leaves(schema, one, path)
    types = part.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    types -= {"object", "array", "null"}
    if types and "properties" not in part:
        yield path, types


def mapping_of(template, path):
    node = template["template"]["mappings"]
    for step in path:
        if node.get("enabled") is False:
            return node
        node = node.get("properties", {}).get(step)
        if node is None:
            return None
    return node


def every_leaf_has_a_place(dialect):
    schema = read(f"schemas/{dialect}.json")
    template = read(f"packaging/opensearch/{TEMPLATES[dialect]}.json")
    count = 0
    for part in schema["definitions"].values():
        if "timestamp" not in part.get("properties", {}):
            continue
        for path, types in leaves(schema, part):
            mapping = mapping_of(template, path)
            assert mapping, f"{'.'.join(path)} is not in the template"
            taken = mapping.get("enabled") is False or types <= TAKES[mapping["type"]]
            assert taken, f"{'.'.join(path)}: {types} into {mapping['type']}"
            count += 1
    assert count > 100, count


# -- a real store ----------------------------------------------------------------------------------


def ask(method, path, body=None, kind="application/json"):
    request = urllib.request.Request(os.environ["OPENSEARCH"] + path, body, {"Content-Type": kind})
    request.method = method
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def lines_of(mrelease, dialect, extras):
    lines = []
    for capture in sorted(glob.glob(CAPTURES)):
        command = [mrelease, "replay", capture, "--output", dialect] + extras
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        lines += said.stdout.splitlines()
    return lines


def extremes(dialect):
    """mlock with all bits of its arguments set, and a release whose target is not known."""
    lines = []
    for path in glob.glob(os.path.join(TOP, f"tests/golden/{dialect}/*.json")):
        with open(path, encoding="utf-8") as file:
            line = json.load(file)
        lines.append(json.dumps(line))
        for argument in line.get("args", line.get("data", [])):
            for key in argument.keys() - {"name", "type"}:
                number = argument["name"] in ("addr", "len")
                if number:
                    text = isinstance(argument[key], str)
                    argument[key] = str(2**64 - 1) if text else 2**64 - 1
        lines.append(json.dumps(line))
    return lines


def the_store_takes_every_event(mrelease, dialect):
    name = TEMPLATES[dialect]
    index = f"mrelease-{name}-{dialect.replace('.', '-')}"
    lines = (lines_of(mrelease, dialect, []) + lines_of(mrelease, dialect, ["--extra", EXTRAS])
             + extremes(dialect))
    ask("PUT", f"/_index_template/{name}",
        json.dumps(read(f"packaging/opensearch/{name}.json")).encode())
    try:
        body = "".join(f'{{"create":{{}}}}\n{line}\n' for line in lines).encode()
        answer = ask("POST", f"/{index}/_bulk?refresh=true", body, "application/x-ndjson")
        refused = [item["create"]["error"] for item in answer["items"] if "error" in item["create"]]
        assert not refused, f"{len(refused)} of {len(lines)}: {refused[0]}"
        assert ask("GET", f"/{index}/_count")["count"] == len(lines)
        place, value = ("args", "value") if name == "classic" else ("data", "str")
        query = {"query": {"nested": {"path": place, "query": {"bool": {"must": [
            {"term": {f"{place}.name": "outcome"}}, {"term": {f"{place}.{value}": "reaped"}}]}}}}}
        found = ask("POST", f"/{index}/_search", json.dumps(query).encode())
        wanted = sum('"name":"outcome"' in line and '"reaped"' in line for line in lines)
        assert found["hits"]["total"]["value"] == wanted > 0, (found["hits"]["total"], wanted)
        print(f"# {dialect}: {len(lines)} events taken, {wanted} with outcome reaped found")
    finally:
        ask("DELETE", f"/{index}")


def main():
    tests = [(f"{dialect}_has_a_place_for_everything", lambda d=dialect: every_leaf_has_a_place(d))
             for dialect in TEMPLATES]
    if "OPENSEARCH" in os.environ:
        tests += [(f"the_store_takes_every_event_of_{dialect}",
                   lambda d=dialect: the_store_takes_every_event(sys.argv[1], d))
                  for dialect in TEMPLATES]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}")
        except (AssertionError, OSError, subprocess.SubprocessError):
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
    if "OPENSEARCH" not in os.environ:
        print("# skipped: OPENSEARCH names no store")
    sys.exit(failed != 0)


main()
