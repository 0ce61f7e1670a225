#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The schema of the configuration file, judged by python3-jsonschema, and the program, on the same
files: config_schema.py PROGRAM. Prints TAP.

YAML becomes JSON by python3-yaml, which resolves numbers, truth values and dates by itself: a file
that both accept means the same to both.
"""
import json
import os
import subprocess
import sys
import tempfile

import jsonschema
import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = sys.argv[1]

ACCEPTED = """
---
# nothing
---
events: mlock
---
events: [mlock, "mun*", -munlock]
---
output: json
---
output: [json, "table:/a b", "none"]
---
{ring: 8M, busy-ring: 4194304, count: 3, duration: 10s}
---
mlock-ring: 4M
---
{ring: "8", count: "3"}
---
{rung: auto, coverage: native, log-level: debug, profile: soc}
---
{record: "5", extra: seq}
---
extra: [seq]
"""

# Unknown keys and wrong types: both must refuse.
REFUSED = """
rnig: 1
---
Events: mlock
---
config: a
---
print-config: true
---
help: true
---
events: 5
---
events: true
---
events: ~
---
events:
---
events: {a: b}
---
events: []
---
events: [5]
---
events: [[mlock]]
---
output: 1
---
output: {format: json}
---
output: [json, {format: table}]
---
output: [~]
---
ring: true
---
ring: 1.5
---
ring: 0
---
ring: lots
---
ring: [8M]
---
ring: -1
---
count: 0
---
count: -3
---
count: three
---
count: [3]
---
count: 1e3
---
duration: 5
---
duration: 5 parsecs
---
duration: 1:30
---
record: 5
---
record: [a]
---
record: 2026-11-25
---
rung: tpbtf
---
rung: [auto]
---
rung: no
---
coverage: all of it
---
log-level: 1
---
log-level: Info
---
extra: nosuch
---
extra: seq,
---
extra: 7
---
profile: secops
---
profile: [soc]
---
events
---
[events]
---
5
"""

failures = 0
number = 0


def report(good, name, why=""):
    global failures, number
    number += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good:
        print(f"# {why}")


def program_says(path):
    """Exit status and the line on standard error."""
    result = subprocess.run([PROGRAM, "run", "--config", path, "--print-config"],
                            capture_output=True, text=True, timeout=20)
    return result.returncode, result.stderr.strip(), result.stdout


def cases(text):
    return [case.strip("\n") for case in text.split("\n---\n")]


def judge(validator, text):
    """What the schema has against a text: None, or a line."""
    try:
        document = yaml.safe_load(text)
        json.dumps(document)  # a date has no JSON
    except (yaml.YAMLError, TypeError) as error:
        return f"no JSON: {error}"
    found = next(validator.iter_errors(document), None)
    return found.message if found else None


def compare(validator, text, wanted, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    status, said, printed = program_says(path)
    schema = judge(validator, text)
    good = (status, schema is None) == ((0, True) if wanted else (2, False))
    report(good, f"{'accepted' if wanted else 'refused'} by both: {json.dumps(text)}",
           f"program {status} '{said}', schema: {schema}")
    return printed


def examples():
    """Every YAML file that the tree ships for this program."""
    others = {"falco", "grafana", "helm", "policies", "prometheus"}
    for folder in ("packaging", "examples"):
        for where, folders, files in os.walk(os.path.join(TOP, folder)):
            folders[:] = [name for name in folders if name not in others]
            yield from (os.path.join(where, name) for name in files if name.endswith(".yaml"))


def main():
    with open(os.path.join(TOP, "schemas", "config.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    report(True, "the schema is a schema of draft 7")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.yaml")
        for text in cases(ACCEPTED):
            printed = compare(validator, text, True, path)
            found = judge(validator, printed)
            report(found is None, f"what --print-config prints is right too: {json.dumps(text)}", found)
        for text in cases(REFUSED):
            compare(validator, text, False, path)
    shipped = list(examples())
    report(len(shipped) > 0, "there is an example")
    for path in shipped:
        with open(path, encoding="utf-8") as file:
            found = judge(validator, file.read())
        status, said, _ = program_says(path)
        report(status == 0 and found is None, f"example {os.path.relpath(path, TOP)}",
               f"program {status} '{said}', schema: {found}")
    print(f"1..{number}")
    return failures > 0


sys.exit(main())
