#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two validators that share nothing judge the same lines: mrelease validate, and python3-jsonschema
with the schemas of the tree.

both.py PROGRAM FILE|DIRECTORY…: every line has to be valid for both. The program reads all lines;
Python, which is slow, one line of each shape: two lines have the same shape when they differ in the
digits of their numbers only, and, of numbers that no type is too small for, in how many they have.
"""

import collections
import json
import os
import re
import subprocess
import sys

import jsonschema

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "schemas")
V0_24_TYPES = {"int32", "uint32", "int64", "uint64", "string", "trace.Pointer"}
DIGITS = re.compile(rb"[0-9]+")


DIALECTS = ("json-v0.23", "json-v0.24", "json-v1beta1")


def validators(names):
    made = {}
    for dialect in names:
        with open(os.path.join(SCHEMAS, dialect + ".json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        made[dialect] = jsonschema.Draft7Validator(schema)
    return made


def dialect_of(event):
    """By what is in it; an event without arguments is the same in both classic dialects."""
    if "ecs" in event:
        return "ecs"
    if "class_uid" in event:
        return "ocsf"
    if isinstance(event.get("timestamp"), str):
        return "json-v1beta1"
    types = {argument["type"] for argument in event.get("args", [])}
    return "json-v0.24" if types & V0_24_TYPES else "json-v0.23"


SMALL = 9  # digits: an int holds any number of so few


def shape(line):
    return DIGITS.sub(lambda digits: b"0" * max(SMALL, len(digits.group())), line)


def judge_with_python(path, known, validator_of):
    """Faults, and how many lines were judged."""
    faults, count = [], 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            form = shape(line)
            if form in known:
                continue
            known.add(form)
            count += 1
            event = json.loads(line.decode("utf-8"))
            dialect = dialect_of(event)
            for fault in validator_of[dialect].iter_errors(event):
                where = "/".join(map(str, fault.absolute_path))
                faults.append(f"{path}: line {number}: {dialect}: /{where}: {fault.message[:200]}")
    return faults, count


def files_of(arguments):
    for argument in arguments:
        if not os.path.isdir(argument):
            yield argument
            continue
        for name in sorted(os.listdir(argument)):
            yield os.path.join(argument, name)


def judge_with_program(program, paths):
    """Whether all lines are valid: those of a dialect at once, for a start takes longer than many lines."""
    lines_of = collections.defaultdict(list)
    for path in paths:
        with open(path, "rb") as file:
            for line in file:
                lines_of[dialect_of(json.loads(line.decode("utf-8")))].append(line.rstrip(b"\n") + b"\n")
    return all(subprocess.run([program, "validate", "--dialect", dialect, "-"], input=b"".join(lines),
                              capture_output=True, check=False).returncode == 0
               for dialect, lines in lines_of.items())


def say_which(program, paths):
    for path in paths:
        result = subprocess.run([program, "validate", path], capture_output=True, check=False)
        if result.returncode:
            sys.stdout.write((result.stdout + result.stderr).decode("utf-8", "replace"))


def main():
    program, paths = sys.argv[1], list(files_of(sys.argv[2:]))
    validator_of, known = validators((*DIALECTS, "ecs", "ocsf")), set()
    failed, lines = not judge_with_program(program, paths), 0
    if failed:
        say_which(program, paths)
    for path in paths:
        faults, count = judge_with_python(path, known, validator_of)
        lines += count
        failed |= bool(faults)
        for fault in faults:
            print(fault)
    print(f"{len(paths)} files, {lines} lines of different shapes")
    return 1 if failed or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
