# SPDX-License-Identifier: Apache-2.0
"""A file of Falco rules, read as Falco reads it and judged by what house and plugin ask of it."""
import re

import yaml

from condition import LIST_OPERATORS, Parser, Problem

PRIORITIES = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG")
TACTICS = {"reconnaissance", "resource_development", "initial_access", "execution", "persistence",
           "privilege_escalation", "defense_evasion", "credential_access", "discovery",
           "lateral_movement", "collection", "command_and_control", "exfiltration", "impact"}
TECHNIQUE = re.compile(r"T[0-9]{4}(\.[0-9]{3})?\Z")
KEYS = {
    "rule": {"rule", "desc", "condition", "output", "priority", "source", "tags", "exceptions",
             "enabled"},
    "macro": {"macro", "condition"},
    "list": {"list", "items"},
    "required_engine_version": {"required_engine_version"},
    "required_plugin_versions": {"required_plugin_versions"},
}
NEEDED = {"rule", "desc", "condition", "output", "priority", "source", "tags"}
PLACEHOLDER = re.compile(r"%([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+(?:\[[^\]]*\])?)")


class Rule:
    def __init__(self, row, condition, output_fields):
        self.name, self.priority, self.tags = row["rule"], row["priority"], row["tags"]
        self.condition, self.output_fields = condition, output_fields

    def fields(self):
        return self.condition.fields() | self.output_fields


class Rules:
    """Lists, macros and rules in their order. Problems are raised; `unused` names what none needs."""

    def __init__(self, text, fields):
        self.fields, self.lists, self.macros, self.rules = fields, {}, {}, []
        self.required, self.used = {}, set()
        for row in yaml.safe_load(text):
            kind = next((key for key in KEYS if key in row), None)
            if kind is None:
                raise Problem(f"an item is neither of {', '.join(KEYS)}: {row}")
            unknown = set(row) - KEYS[kind]
            if unknown:
                raise Problem(f"{row[kind]}: unknown key '{min(unknown)}'")
            try:
                getattr(self, "add_" + kind)(row)
            except Problem as problem:
                raise Problem(f"{row[kind]}: {problem}") from None

    # -- what a file holds ----

    def add_required_engine_version(self, row):
        self.required.update(row)

    def add_required_plugin_versions(self, row):
        self.required.update(row)

    def add_list(self, row):
        items = []
        for item in map(str, row["items"]):
            items += self.use(self.lists, item) if item in self.lists else [item]
        self.add(self.lists, row["list"], items)

    def add_macro(self, row):
        self.add(self.macros, row["macro"], self.parse(row["condition"]))

    def add_rule(self, row):
        missing = NEEDED - set(row)
        if missing:
            raise Problem(f"'{min(missing)}' is missing")
        judge_tags(row["tags"])
        if row["priority"].upper() not in PRIORITIES:
            raise Problem(f"'{row['priority']}' is no priority")
        if row["source"] != "mrelease":
            raise Problem(f"its source is '{row['source']}'")
        if any(rule.name == row["rule"] for rule in self.rules):
            raise Problem("it exists already")
        condition = self.parse(with_exceptions(row))
        self.rules.append(Rule(row, condition, self.output_fields(row["output"])))

    def output_fields(self, output):
        found = set(PLACEHOLDER.findall(output))
        if output.count("%") != len(PLACEHOLDER.findall(output)):
            raise Problem("a % in the output is not followed by a field")
        for text in found:
            self.fields.look_up(text)
        return found

    # -- names ----

    def add(self, names, name, value):
        if name in self.lists or name in self.macros:
            raise Problem("its name is taken")
        names[name] = value

    def use(self, names, name):
        self.used.add(name)
        return names.get(name)

    def parse(self, text):
        parser = Parser(text, self.fields, lambda name: self.use(self.macros, name), self.lists)
        self.used.update(word for _, word in parser.tokens if word in self.lists)
        return parser.parse()

    def unused(self):
        return (set(self.lists) | set(self.macros)) - self.used


def judge_tags(tags):
    tactics = [tag[len("mitre_"):] for tag in tags if tag.startswith("mitre_")]
    wrong = [tag for tag in tactics if tag not in TACTICS]
    if wrong:
        raise Problem(f"'mitre_{wrong[0]}' is no tactic of ATT&CK")
    if not tactics or not any(TECHNIQUE.match(tag) for tag in tags):
        raise Problem("its tags lack a tactic or a technique of ATT&CK")
    wrong = [tag for tag in tags if not TECHNIQUE.match(tag) and not re.fullmatch(r"[a-z0-9_]+", tag)]
    if wrong:
        raise Problem(f"'{wrong[0]}' is no tag")
    if len(set(tags)) != len(tags):
        raise Problem("a tag is there twice")


# -- exceptions: conditions that Falco puts behind the rule's own ----------------------------------

def quoted(value):
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def compared(field, operator, value):
    if operator in LIST_OPERATORS:
        members = value if isinstance(value, list) else [value]
        return f"{field} {operator} ({', '.join(map(quoted, members))})"
    return f"{field} {operator} {quoted(value)}"


def exception(row):
    """The condition of one exception; empty when it has no values yet."""
    fields, values = row["fields"], row.get("values") or []
    several = isinstance(fields, list)
    operators = row.get("comps", ["="] * len(fields) if several else "in")
    if not several:
        return compared(fields, operators, values) if values else ""
    if len(operators) != len(fields) or any(len(value) != len(fields) for value in values):
        raise Problem(f"exception '{row['name']}': as many values as fields, and as comps")
    alternatives = (" and ".join(map(compared, fields, operators, value)) for value in values)
    return " or ".join(f"({alternative})" for alternative in alternatives)


def with_exceptions(row):
    text = f"({row['condition']})"
    for each in row.get("exceptions", []):
        if set(each) - {"name", "fields", "comps", "values"} or "name" not in each:
            raise Problem("an exception has a name, fields, comps and values")
        condition = exception(each)
        text += f" and not ({condition})" if condition else ""
    return text
