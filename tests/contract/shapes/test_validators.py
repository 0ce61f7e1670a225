#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every event in ecs and ocsf, before the schemas of those who made them, and checks that these lack.

usage: test_validators.py MRELEASE

ECS and OCSF name directories, as ci/validators.sh makes them; what is not named is a skip.
"""
import glob
import json
import os
import re
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../../..")
PROFILES = ["container", "host"]


def lines_of(shape):
    """Golden lines, those with extras, and recorded events."""
    lines = []
    for path in (f"tests/golden/{shape}/events.json", f"tests/schema/corpus/{shape}.jsonl"):
        with open(os.path.join(TOP, path), encoding="utf-8") as file:
            lines += file.read().splitlines()
    for capture in sorted(glob.glob(os.path.join(TOP, "tests/contract/falco/captures/*.cap"))):
        said = subprocess.run([sys.argv[1], "replay", capture, "--output", shape], check=True, capture_output=True,
                              text=True, timeout=60)
        lines += said.stdout.splitlines()[:20]
    assert len(lines) > 60, len(lines)
    return [json.loads(line) for line in lines]


# -- ECS -------------------------------------------------------------------------------------------

TYPES = {"keyword": str, "match_only_text": str, "wildcard": str, "constant_keyword": str, "text": str, "long": int,
         "date": str, "boolean": bool, "ip": str, "scaled_float": (int, float), "float": (int, float)}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def leaves(tree, path=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield path + key, value


def hold_leaf(fields, path, value):
    if path.startswith("mrelease."):
        return
    assert path in fields, f"{path} is no field of ECS"
    field = fields[path]
    is_array = "array" in field.get("normalize", [])
    assert isinstance(value, list) == is_array, f"{path}: one value, or an array"
    for one in value if is_array else [value]:
        if one is None:
            continue
        wanted = TYPES[field["type"]]
        assert isinstance(one, wanted) and isinstance(one, bool) == (wanted is bool), f"{path}: {one!r}"
        if field["type"] == "long":
            assert -2**63 <= one < 2**63, f"{path}: {one}"
        if field["type"] == "date":
            assert DATE.fullmatch(one), f"{path}: {one}"
        allowed = [row["name"] for row in field.get("allowed_values", [])]
        assert not allowed or one in allowed, f"{path}: {one}"


def ecs(home):
    with open(os.path.join(home, "ecs.json"), encoding="utf-8") as file:
        fields = json.load(file)
    expected = {row["name"]: row.get("expected_event_types", []) for row in fields["event.category"]["allowed_values"]}
    for line in lines_of("ecs"):
        for path, value in leaves(line):
            hold_leaf(fields, path, value)
        for category in line["event"]["category"]:
            assert set(line["event"]["type"]) <= set(expected[category]), line["event"]
        for path in ("@timestamp", "ecs.version", "message", "event.kind", "event.module", "event.dataset"):
            assert dict(leaves(line))[path], path
    wrong = json.loads(json.dumps(line))  # the walker itself can fail
    for change in ({"kind": "opinion"}, {"category": "process"}, {"sequence": "1"}, {"unheard_of": 1}):
        try:
            for path, value in leaves({"event": {**wrong["event"], **change}}):
                hold_leaf(fields, path, value)
        except AssertionError:
            continue
        raise AssertionError(f"{change} is let through")


# -- OCSF ------------------------------------------------------------------------------------------

STATUS = {0: "Unknown", 1: "Success", 2: "Failure"}
DIGITS = re.compile(r"-?\d+")


def hold_numbers(tree, path="", unmapped=False):
    """Readers take numbers of 64 bits with a sign; in unmapped, none is larger than 32 bits."""
    for key, value in tree.items():
        where = f"{path}{key}"
        if isinstance(value, dict):
            hold_numbers(value, where + ".", unmapped or key == "unmapped")
        elif isinstance(value, int) and not isinstance(value, bool):
            assert -2**63 <= value < 2**63, f"{where}: {value}"
            assert not unmapped or -2**31 <= value < 2**32, f"{where}: {value}"


def hold_ocsf(line):
    """What the schemas do not say."""
    assert line["type_uid"] == line["class_uid"] * 100 + line["activity_id"], line["type_uid"]
    assert line["category_uid"] == line["class_uid"] // 1000, line["category_uid"]
    assert line["status"] == STATUS[line["status_id"]], line["status"]
    assert line["severity_id"] in (1, 2, 3), line["severity_id"]
    assert line["metadata"]["profiles"] == PROFILES
    assert line["time"] // 10**11 in range(10, 30), "ms since the epoch"
    assert line["time"] == int(line["unmapped"]["time_ns"]) // 10**6
    if "duration" in line:
        assert line["status_id"] == (2 if int(line["unmapped"]["return_value"]) < 0 else 1)
        assert (line["status_code"] == "0") == (line["status_id"] == 1), line["status_code"]
        assert {"process", "user"} <= line["actor"].keys()
    assert any(line["device"].get(key) for key in ("hostname", "uid", "name", "ip"))
    if line["class_uid"] == 1004:
        assert any(line["process"].get(key) is not None for key in ("pid", "uid", "cpid"))
    if line["class_uid"] == 1003:
        assert line["kernel"]["system_call"] == line["kernel"]["name"]
    hold_numbers(line)


def in_that_python(home, lines):
    """Runs within the environment that has the validator."""
    told = subprocess.run([os.path.join(home, "bin/python"), os.path.abspath(__file__), "--ocsf"], text=True,
                          input=json.dumps(lines), capture_output=True, timeout=300)
    assert told.returncode == 0, told.stdout + told.stderr


def ocsf(home):
    lines = lines_of("ocsf")
    for line in lines:
        hold_ocsf(line)
    in_that_python(home, lines)
    try:
        in_that_python(home, [{**lines[0], "type_uid": "text"}])
    except AssertionError:
        return
    raise AssertionError("the validator lets everything through")


def validate_ocsf():
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
    validators, failed = {}, 0
    for line in json.load(sys.stdin):
        uid = line["class_uid"]
        if uid not in validators:
            name = schemas.lookup_class_name_from_uid(uid)
            validators[uid] = jsonschema.Draft202012Validator(schemas.get_class_schema(name, PROFILES))
        for error in validators[uid].iter_errors(line):
            failed += 1
            print(f"{line['metadata']['event_code']}, {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    sys.exit(failed > 0)


def main():
    tests = (ecs, ocsf)
    print(f"1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        home = os.environ.get(test.__name__.upper())
        if not home or not os.path.isdir(home):
            print(f"# skipped: {home or 'not installed'}\nok {number} # SKIP {test.__name__}")
            continue
        try:
            test(home)
            print(f"ok {number} - every event is valid in {test.__name__}")
        except Exception:  # whatever it is, the next test shall run
            failed += 1
            print(f"not ok {number} - {test.__name__}\n# " + traceback.format_exc().strip().replace("\n", "\n# "))
    sys.exit(failed > 0)


if __name__ == "__main__":
    if sys.argv[1] == "--ocsf":
        validate_ocsf()
    main()
