#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the shapes say what the dialect json-v0.24 says: an independent mapping.

Written from the documents of the shapes (ECS 9.4, OCSF 1.8, CEF, LEEF 2.0) and docs/shapes.md, not from this
project's encoders. Reads objects {"scene", "extras", "host", "json": line of json-v0.24 with all extras, "facts":
{"end_ns", "process_start_ns", "no_entry"}, "ecs": line, …}, one per line, and compares each value.

    shapes.py FILE           compares; prints how many lines were compared
    shapes.py --parse SHAPE  reads lines of cef or leef, prints {"header": […], "keys": {…}} of each
"""
import json
import re
import sys

from shaped import Event, cef, ecs, leef, ocsf, otlp


def fields_of(message):
    """Numbers and values of a protobuf message: ints, or bytes."""
    at = 0

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            number, shift, at = number | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return number
    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(tag & 7) or varint() if tag & 7 in (1, 2, 5) else None
            value, at = message[at:at + size], at + size
            assert at <= len(message), "torn"
            if tag & 7 != 2:
                value = int.from_bytes(value, "little")
        yield tag >> 3, value


def any_of(message):
    found = list(fields_of(message))
    assert len(found) <= 1, found
    for number, value in found:
        return {1: lambda: value.decode(), 2: lambda: value == 1,
                3: lambda: value - (1 << 64) if value >> 63 else value}[number]()
    return None


def parse_otlp(record):
    said = {"time": 0, "observed": 0, "attributes": {}}
    for number, value in fields_of(bytes.fromhex(record)):
        if number == 6:
            pair = dict(fields_of(value))
            assert sorted(pair) == [1, 2] and pair[1].decode() not in said["attributes"], pair
            said["attributes"][pair[1].decode()] = any_of(pair[2])
        else:
            name = {1: "time", 2: "number", 3: "word", 5: "body", 11: "observed", 12: "name"}[number]
            said[name] = any_of(value) if number == 5 else value.decode() if number in (3, 12) else value
    said["severity"] = (said.pop("number"), said.pop("word"))
    return said


def without_replacements(tree):
    """Bytes that are no UTF-8 are left out here, where dialects have a replacement."""
    if isinstance(tree, dict):
        return {key: without_replacements(value) for key, value in tree.items()}
    return tree.replace("\ufffd", "") if isinstance(tree, str) else tree


# The grammars, as their documents have them.
CEF_KEY = re.compile(r"(?:^|(?<= ))([A-Za-z0-9_.]+)=")


def parse_cef(line):
    parts = re.match(r"((?:[^|\\\n]|\\[|\\])*\|){7}", line)
    assert parts, "no header"
    header = [re.sub(r"\\([|\\])", r"\1", part) for part in re.findall(r"((?:[^|\\]|\\.)*)\|", parts.group(0))]
    rest, keys, last = line[parts.end():], {}, None
    assert re.fullmatch(r"(?:[^\\\n\r]|\\[\\=nr])*", rest), "an escape that is none"
    bare = re.sub(r"\\.", "__", rest)  # an escaped = is none
    found = list(CEF_KEY.finditer(bare))
    assert found and found[0].start() == 0, rest[:40]
    assert len(found) == bare.count("="), "an = that is not escaped"
    for key, following in zip(found, found[1:] + [None]):
        value = rest[key.end():following.start() - 1 if following else len(rest)]
        assert key.group(1) not in keys, key.group(1)
        keys[key.group(1)] = re.sub(r"\\(.)", lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]), value)
    return header, keys


def parse_leef(line):
    header = line.split("|", 6)
    assert len(header) == 7 and header[5] == "x09", header
    keys = {}
    for pair in header[6].split("\t"):
        key, equals, value = pair.partition("=")
        assert re.fullmatch("[A-Za-z0-9_]+", key) and equals and key not in keys, pair
        keys[key] = value
    return header[:6], keys


# -- comparing -------------------------------------------------------------------------------------


def told_cef(said):
    """What control characters become: newlines survive."""
    return {key: re.sub("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", " ", value) for key, value in said.items()}


def told_leef(said):
    return {key: re.sub("[\x00-\x1f\x7f]", " ", value) for key, value in said.items()}


def compare(group):
    event = Event(group)
    for shape, mapping in (("ecs", ecs), ("ocsf", ocsf)):
        wanted, said = mapping(event), json.loads(group[shape])
        assert said == wanted, f"{group['scene']}, {shape}:\n{difference(said, wanted)}"
        types = [(path, type(value)) for path, value in flat(said)]
        assert types == [(path, type(value)) for path, value in sorted(flat(wanted), key=order(types))], shape
    for shape, mapping, parse, told in (("cef", cef, parse_cef, told_cef), ("leef", leef, parse_leef, told_leef)):
        header, keys = parse(group[shape])
        wanted_header, wanted = mapping(event)
        wanted = told(wanted)
        assert header == wanted_header, f"{group['scene']}, {shape}: {header}"
        assert keys == wanted, f"{group['scene']}, {shape}:\n{difference(keys, wanted)}"


    wanted, said = without_replacements(otlp(event)), parse_otlp(group["otlp"])
    assert said == wanted, f"{group['scene']}, otlp:\n{difference(said, wanted)}"
    types = {key: type(value) for key, value in wanted["attributes"].items()}
    assert types == {key: type(value) for key, value in said["attributes"].items()}, "otlp"


def order(types):
    places = {path: place for place, (path, _) in enumerate(types)}
    return lambda pair: places[pair[0]]


def flat(tree, path=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield path + key, value


def difference(said, wanted):
    one, other = dict(flat(said)), dict(flat(wanted))
    return "\n".join(f"  {path}: {one.get(path, '—')!r}, wanted {other.get(path, '—')!r}"
                     for path in sorted(one.keys() | other.keys()) if one.get(path, ...) != other.get(path, ...))


def main():
    if sys.argv[1] == "--parse":
        parse = {"cef": parse_cef, "leef": parse_leef}[sys.argv[2]]
        for line in sys.stdin:
            header, keys = parse(line.rstrip("\n"))
            print(json.dumps({"header": header, "keys": keys}))
        return
    count = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            compare(json.loads(line))
            count += 1
    print(f"{count} compared")


if __name__ == "__main__":
    main()
