#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The index template of a data stream, strict, made of a JSON Schema of ours: opensearch_template.py SCHEMA NAME.

What is text in the schema is a keyword, and so not changed; what is a time keeps its ns.
"""
import json
import sys


def merge(tree, path, kind):
    for step in path[:-1]:
        tree = tree.setdefault(step, {"properties": {}})["properties"]
    found = tree.get(path[-1])
    # An integer of 32 bits in one event may be one of 64 in another.
    wide = {("long", "unsigned_long"): "unsigned_long", ("unsigned_long", "long"): "unsigned_long"}
    if found and found["type"] != kind:
        kind = wide[found["type"], kind]
    tree[path[-1]] = {"type": kind}


def kind_of(part, path):
    types = part.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if "integer" in types:
        # ECS wants long; the numbers of our own may have all 64 bits.
        return "unsigned_long" if path[0] == "mrelease" and part["maximum"] > 2**63 - 1 else "long"
    if "boolean" in types:
        return "boolean"
    if part.get("pattern", "").startswith("^[0-9]{4}-"):
        return "date_nanos"
    return "text" if path == ("message",) else "keyword"


def leaves(schema, part, path=()):
    if "$ref" in part:
        part = schema["definitions"][part["$ref"].rsplit("/", 1)[1]]
    for key, value in part.get("properties", {}).items():
        yield from leaves(schema, value, path + (key,))
    if part.get("type") == "array":
        yield path, kind_of(part["items"], path)
    elif "properties" not in part:
        yield path, kind_of(part, path)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    properties = {}
    for case in schema["allOf"]:
        for path, kind in leaves(schema, case["then"]):
            merge(properties, path, kind)
    print(json.dumps({
        "index_patterns": [f"mrelease-{sys.argv[2]}*"],
        "data_stream": {},
        "priority": 200,
        "template": {"mappings": {"dynamic": "strict", "properties": properties}},
    }, indent=2, sort_keys=True))


main()
