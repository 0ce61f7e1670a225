#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The compatibility gate stops what breaks a reader, lets through what does not, and is fooled by
neither. Each case edits the schema of a dialect as it is. Prints TAP."""

import copy
import json
import os
import sys

import gate

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")


def event(schema, name):
    return schema["definitions"][name]


def argument(schema, name, number, key="args"):
    return event(schema, name)["properties"][key]["items"][number]


def edit(path, value):
    """Sets a value deep in the schema; a path may begin at a definition."""
    def run(schema):
        for step in path[:-1]:
            schema = schema[step]
        schema[path[-1]] = value
    return run


def drop(path):
    def run(schema):
        for step in path[:-1]:
            schema = schema[step]
        del schema[path[-1]]
    return run


D = "definitions"
MLOCK = [D, "mlock", "properties"]


def drop_key(schema):
    del event(schema, "mlock")["properties"]["cgroupId"]
    event(schema, "mlock")["required"].remove("cgroupId")


def drop_event(schema):
    schema["properties"]["eventName"]["enum"].remove("mlock2")
    schema["allOf"] = [part for part in schema["allOf"]
                       if part["if"]["properties"]["eventName"]["const"] != "mlock2"]


def drop_condition(schema):
    del schema["allOf"][3]


def add_event(schema):
    schema["properties"]["eventName"]["enum"].append("new")
    schema["definitions"]["new"] = copy.deepcopy(event(schema, "mlock"))
    schema["allOf"].append({"if": {"required": ["eventName"],
                                   "properties": {"eventName": {"const": "new"}}},
                            "then": {"$ref": "#/definitions/new"}})


def add_optional_key(schema):
    event(schema, "mlock")["properties"]["more"] = {"type": "string"}


def add_required_key(schema):
    add_optional_key(schema)
    event(schema, "mlock")["required"].append("more")


def add_extra(schema):
    schema["definitions"]["extra_more"] = copy.deepcopy(schema["definitions"]["extra_seq_seq"])
    mlock = event(schema, "mlock")
    mlock["properties"]["args"]["maxItems"] += 1
    mlock["else"]["anyOf"].append({"properties": {
        "argsNum": {"const": 3},
        "args": {"items": [True, True, {"$ref": "#/definitions/extra_more"}],
                 "minItems": 3, "maxItems": 3}}})


def drop_extra(schema):
    event(schema, "mlock")["else"]["anyOf"].pop()
    event(schema, "mlock")["else"]["anyOf"].append(True)


def retype_extra(schema):
    schema["definitions"]["extra_seq_seq"]["properties"]["value"]["type"] = "string"


def swap_arguments(schema):
    items = event(schema, "mlock")["properties"]["args"]["items"]
    items[0], items[1] = items[1], items[0]


def move_definition(schema):
    """The same schema, said in place of a reference."""
    event(schema, "mlock")["properties"]["container"] = schema["definitions"]["container"]


def unknown_keyword(schema):
    event(schema, "mlock")["unevaluatedProperties"] = False


def explain(schema):
    schema["title"] = "another title"
    argument(schema, "mlock", 0)["description"] = "another sentence"
    argument(schema, "mlock", 0)["x-tracee-tags"] = ["K", "TOCTOU"]


def raise_version(schema):
    drop_event(schema)
    name, _, version = schema["$id"].rpartition(":")
    schema["$id"] = f"{name}:{int(version) + 1}"


def lower_version(schema):
    schema["$id"] = schema["$id"][:-1] + "0"


CASES = [
    # name, does it break?, edit
    ("the_same_schema_breaks_nothing", False, lambda schema: None),
    ("other_explanations_break_nothing", False, explain),
    ("a_new_event_breaks_nothing", False, add_event),
    ("a_new_optional_key_breaks_nothing", False, add_optional_key),
    ("a_new_extra_breaks_nothing", False, add_extra),
    ("a_definition_said_in_place_breaks_nothing", False, move_definition),
    ("anything_goes_with_a_higher_version", False, raise_version),
    ("a_lower_version_breaks", True, lower_version),
    ("another_name_breaks", True, edit(["$id"], "urn:mrelease:schema:json:1")),
    ("a_key_that_is_gone_breaks", True, drop_key),
    ("a_key_that_may_be_absent_now_breaks", True,
     lambda schema: event(schema, "mlock")["required"].remove("cgroupId")),
    ("a_key_that_is_required_now_breaks", True,
     lambda schema: event(schema, "mlock")["required"].append("matchedPolicies")),
    ("a_new_required_key_breaks", True, add_required_key),
    ("an_event_that_is_gone_breaks", True, drop_event),
    ("an_event_without_its_condition_breaks", True, drop_condition),
    ("another_type_breaks", True, edit(MLOCK + ["cgroupId", "type"], "string")),
    ("another_type_string_breaks", True,
     lambda schema: argument(schema, "mlock", 1)["properties"]["type"].update(enum=["uint64"])),
    ("another_name_of_an_argument_breaks", True,
     lambda schema: argument(schema, "mlock", 1)["properties"]["name"].update(enum=["size"])),
    ("another_order_of_arguments_breaks", True, swap_arguments),
    ("a_lower_maximum_breaks", True, edit(MLOCK + ["processorId", "maximum"], 255)),
    ("a_higher_maximum_breaks", True, edit(MLOCK + ["processorId", "maximum"], 2**32)),
    ("a_higher_minimum_breaks", True, edit(MLOCK + ["timestamp", "minimum"], 1)),
    ("a_lower_minimum_breaks", True, edit(MLOCK + ["timestamp", "minimum"], -1)),
    ("a_new_bound_breaks", True, edit(MLOCK + ["containerId", "maxLength"], 64)),
    ("a_bound_that_is_gone_breaks", True, drop(MLOCK + ["processName", "maxLength"])),
    ("a_new_pattern_breaks", True, edit(MLOCK + ["hostName", "pattern"], "^[a-z]*$")),
    ("a_value_that_is_gone_breaks", True, edit(MLOCK + ["eventId", "enum"], ["149"])),
    ("values_where_anything_went_break", True, edit(MLOCK + ["hostName", "enum"], ["a"])),
    ("an_item_less_breaks", True,
     lambda schema: event(schema, "mlock")["properties"]["args"]["items"].pop()),
    ("fewer_items_break", True, edit([D, "policies", "maxItems"], 1)),
    ("an_extra_that_is_gone_breaks", True, drop_extra),
    ("an_extra_of_another_type_breaks", True, retype_extra),
    ("a_reference_to_something_else_breaks", True,
     edit(MLOCK + ["container"], {"$ref": "#/definitions/kubernetes"})),
    ("an_unknown_keyword_breaks", True, unknown_keyword),
]


def opened(schema):
    del schema["definitions"]["container"]["additionalProperties"]


def main():
    with open(os.path.join(SCHEMAS, "json-v0.23.json"), encoding="utf-8") as file:
        present = json.load(file)
    open_one = copy.deepcopy(present)
    opened(open_one)
    runs = [(name, wanted, present, change) for name, wanted, change in CASES]
    runs.append(("an_object_that_is_closed_now_breaks", True, open_one,
                 edit([D, "container", "additionalProperties"], False)))
    runs.append(("an_object_that_is_open_now_breaks_nothing", False, present, opened))
    failed = 0
    print(f"1..{len(runs)}")
    for number, (name, wanted, before, change) in enumerate(runs, 1):
        after = copy.deepcopy(before)
        change(after)
        found = gate.breaks(before, after)
        right = bool(found) == wanted
        failed += not right
        print(f"{'ok' if right else 'not ok'} {number} - {name}")
        if not right:
            print("# " + "\n# ".join(found or ["no break was found"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
