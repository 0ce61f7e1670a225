#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tells whether a schema still serves the readers of the one that was published.

gate.py PUBLISHED PRESENT: exit 0 when nothing breaks a reader, or when the version in $id has risen;
exit 1 and one line per break otherwise. A reader breaks when something that it could count on is no
longer so: a key, an event, an item, a value or a type that was there is gone or different, a bound
has moved, an object that had room for more keys is closed. What is only added (an event, a key that
may be absent, an extra) and what only explains (titles, descriptions, tags) breaks nobody.
"""

import json
import sys

# Keywords that restrict nothing.
NOTES = {"$schema", "$id", "$comment", "title", "description", "default", "examples",
         "x-tracee-tags", "x-tracee-toctou-unless", "definitions"}
# Keywords whose value must stay as it is: a bound that narrows refuses what was valid, and one that
# widens lets through what a reader has no room for.
FIXED = ("type", "const", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
         "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "uniqueItems",
         "minProperties", "maxProperties", "propertyNames", "dependencies", "contains", "not",
         "patternProperties")
HANDLED = set(FIXED) | NOTES | {"$ref", "properties", "required", "additionalProperties", "items",
                                "additionalItems", "maxItems", "enum", "allOf", "anyOf", "oneOf",
                                "if", "then", "else"}


class Gate:
    def __init__(self, old, new):
        self.old, self.new = old, new
        self.breaks = []
        self.plains = {}

    def say(self, where, text):
        self.breaks.append(f"{where or '/'}: {text}")

    def follow(self, root, schema):
        while isinstance(schema, dict) and "$ref" in schema:
            name = schema["$ref"]
            if not name.startswith("#/"):
                raise ValueError(f"reference to another document: {name}")
            target = root
            for step in name[2:].split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def plain(self, root, schema):
        """A schema without references and notes, to be compared as a whole."""
        schema = self.follow(root, schema)
        if isinstance(schema, list):
            return [self.plain(root, item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        # What many refer to is made once.
        if id(schema) not in self.plains:
            self.plains[id(schema)] = self.plain_object(root, schema)
        return self.plains[id(schema)]

    def plain_object(self, root, schema):
        return {key: value if key in ("const", "enum", "required", "type")
                else {name: self.plain(root, item) for name, item in value.items()}
                if key == "properties" else self.plain(root, value)
                for key, value in schema.items() if key not in NOTES}

    def same(self, old, new):
        return self.plain(self.old, old) == self.plain(self.new, new)

    def compare(self, where, old, new):
        old, new = self.follow(self.old, old), self.follow(self.new, new)
        if isinstance(old, bool) or isinstance(new, bool):
            if old not in (True, {}) and old != new or new is False:
                self.say(where, "is another schema")
            elif new not in (True, {}):
                self.say(where, "is restricted now")
            return
        for key in sorted((set(old) | set(new)) - HANDLED):
            if old.get(key) != new.get(key):
                self.say(where, f"{key} has changed, and this tool does not know it")
        self.values(where, old, new)
        self.objects(where, old, new)
        self.arrays(where, old, new)
        self.combinations(where, old, new)

    def values(self, where, old, new):
        for key in FIXED:
            if (key in old) != (key in new) or not self.same(old.get(key), new.get(key)):
                self.say(where, f"{key} was {old.get(key, 'absent')!r}, "
                                f"is {new.get(key, 'absent')!r}")
        if "enum" in new and "enum" not in old:
            self.say(where, "enum is new")
        for value in old.get("enum", []):
            if "enum" in new and value not in new["enum"]:
                self.say(where, f"{value!r} is no longer one of the values")

    def objects(self, where, old, new):
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name in after:
                self.compare(f"{where}/properties/{name}", before[name], after[name])
            else:
                self.say(where, f"key {name!r} is gone")
        for name in sorted(set(old.get("required", [])) ^ set(new.get("required", []))):
            if name in old.get("required", []) or name in before:
                gone = name in old.get("required", [])
                self.say(where, f"key {name!r} " + ("may be absent now" if gone
                                                    else "may not be absent any more"))
            else:
                self.say(where, f"key {name!r} is new, and required")
        self.room(where, "additionalProperties", old, new)

    def room(self, where, key, old, new):
        """Room for more keys or items: what was open may not close or narrow."""
        before, after = old.get(key, True), new.get(key, True)
        if before is False or after in (True, {}):
            return
        if after is False:
            self.say(where, f"{key} is closed now")
        else:
            self.compare(f"{where}/{key}", before, after)

    def arrays(self, where, old, new):
        before, after = old.get("items", True), new.get("items", True)
        if isinstance(before, list) and isinstance(after, list):
            if len(before) > len(after):
                self.say(where, "items are gone")
            for i, (one, other) in enumerate(zip(before, after)):
                self.compare(f"{where}/items/{i}", one, other)
        elif isinstance(before, list) or isinstance(after, list):
            if before is True and isinstance(after, list):
                self.say(where, "items are restricted now")
            else:
                self.say(where, "items are of another kind")
        else:
            self.compare(f"{where}/items", before, after)
        # More items at the end are what an extra adds: only fewer break a reader.
        if new.get("maxItems", float("inf")) < old.get("maxItems", float("inf")):
            self.say(where, f"maxItems was {old.get('maxItems')}, is {new['maxItems']}")
        self.room(where, "additionalItems", old, new)

    def combinations(self, where, old, new):
        self.conditions(where, old, new)
        for key in ("anyOf", "oneOf"):
            if (key in old) != (key in new):
                self.say(where, f"{key} is {'new' if key in new else 'gone'}")
            for i, choice in enumerate(old.get(key, [])):
                if not any(self.same(choice, other) for other in new.get(key, [choice])):
                    self.say(f"{where}/{key}/{i}", "this choice is gone or different")
        for key in ("if", "then", "else"):
            if key == "else" and "else" in old and "else" in new:
                self.compare(f"{where}/else", old["else"], new["else"])
            elif (key in old) != (key in new) or not self.same(old.get(key), new.get(key)):
                self.say(where, f"{key} has changed")

    def conditions(self, where, old, new):
        """allOf, whose parts are one condition per event: found again by what they ask."""
        for i, part in enumerate(old.get("allOf", [])):
            match = [other for other in new.get("allOf", []) if "if" in part
                     and self.same(part["if"], other.get("if"))]
            if not match:
                match = [other for other in new.get("allOf", []) if self.same(part, other)]
            if not match:
                self.say(f"{where}/allOf/{i}", "this part is gone or different")
            elif "if" in part:
                name = json.dumps(part["if"].get("properties", i))
                self.compare(f"{where}/allOf {name}", part.get("then", True),
                             match[0].get("then", True))
        for i, part in enumerate(new.get("allOf", [])):
            if "if" not in part and not any(self.same(part, other) for other in old.get("allOf", [])):
                self.say(f"{where}/allOf/{i}", "this part is new, and asks something of every line")


def version(schema):
    name, _, number = schema["$id"].rpartition(":")
    return name, int(number)


def breaks(old, new):
    """What breaks a reader, as lines; nothing where the version has risen."""
    (old_name, old_version), (new_name, new_version) = version(old), version(new)
    if old_name != new_name:
        return [f"/$id: was {old['$id']}, is {new['$id']}"]
    if new_version < old_version:
        return [f"/$id: version {old_version} was published, {new_version} is older"]
    if new_version > old_version:
        return []
    gate = Gate(old, new)
    gate.compare("", old, new)
    return gate.breaks


def main():
    with open(sys.argv[1], encoding="utf-8") as old, open(sys.argv[2], encoding="utf-8") as new:
        found = breaks(json.load(old), json.load(new))
    for line in found:
        print(f"{sys.argv[2]}: {line}")
    if found:
        print("readers of the published schema break: keep it as it was, or raise the dialect's "
              "version (plugin/command/schema)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
