#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds examples/falco/mrelease_rules.yaml against the plugin and against captures of real calls.

usage: test_rules.py HOST PLUGIN

HOST (tests/contract/falco) drives the plugin as Falco does and prints what it extracts. Where a
Falco from 0.39 on is installed, or named by FALCO=PATH, it judges the rules as well, and must see
the same; from 0.42 on, it records besides.
"""
import collections
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import jsonschema
import yaml

from condition import And, Fields, Parser, Problem
from expected import ALERTS, BAD_RULES, EVENT, FALSE, GOOD, REFUSED, ROWS, TRUE
from rules import Rules

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "../../../examples/falco")
RULES = os.path.join(EXAMPLES, "mrelease_rules.yaml")
CAPTURES = os.path.join(HERE, "captures")


# -- the plugin ------------------------------------------------------------------------------------

class Host:
    def __init__(self, host, plugin):
        self.command, self.plugin = [host], os.path.abspath(plugin)
        self.fields = Fields(json.loads(self.ask("fields")))

    def ask(self, verb, *arguments):
        return subprocess.run([*self.command, verb, self.plugin, *arguments], check=True, timeout=60,
                              stdout=subprocess.PIPE, text=True).stdout

    def extract(self, capture, fields):
        """A dictionary per event; what is absent is None."""
        fields = sorted(fields)
        lines = self.ask("extract", capture, *fields).splitlines()
        return [dict.fromkeys(fields) | json.loads(line) for line in lines]


def capture_path(name):
    return os.path.join(CAPTURES, name + ".cap")


def load_rules(fields):
    with open(RULES, encoding="utf-8") as file:
        return Rules(file.read(), fields)


def events_of(host, rules, capture):
    """The events of a capture, with all that the rules ask of them."""
    asked = {field for rule in rules.rules for field in rule.fields() if not field.startswith("evt.")}
    return host.extract(capture_path(capture), asked)


def alerts_of(host, rules, capture):
    """Each rule that holds, and the event of which it does."""
    events = events_of(host, rules, capture)
    return [(rule, event) for rule in rules.rules for event in filter(rule.condition.holds, events)]


# -- tests: each returns nothing, or raises --------------------------------------------------------

def test_of_truth():
    fields = Fields(ROWS)
    for truth, texts in ((True, TRUE), (False, FALSE)):
        for text in texts:
            if Parser(text, fields).parse().holds(EVENT) != truth:
                raise Problem(f"'{text}' should be {truth}")


def refuses(what, expected, act):
    try:
        act()
    except Problem as problem:
        if expected in str(problem):
            return
        raise Problem(f"{what}: '{problem}' instead of '{expected}'") from None
    raise Problem(f"{what} is not refused")


def test_of_refusals():
    for text, expected in REFUSED.items():
        refuses(text, expected, Parser(text, Fields(ROWS)).parse
                if expected != "nothing begins" else lambda text=text: Parser(text, Fields(ROWS)))


def test_of_bad_rules():
    Rules(json.dumps([GOOD]), Fields(ROWS))
    for change, expected in BAD_RULES:
        row = {key: value for key, value in (GOOD | change).items() if value is not None}
        refuses(change, expected, lambda row=row: Rules(json.dumps([row]), Fields(ROWS)))


def test_of_rules(host):
    rules = load_rules(host.fields)
    if rules.unused():
        raise Problem(f"nobody uses {', '.join(sorted(rules.unused()))}")
    for rule in rules.rules:
        fires = [capture for capture, alerts in ALERTS.items() if rule.name in alerts]
        if not fires or len(fires) == len(ALERTS):
            raise Problem(f"'{rule.name}' lacks a capture that raises it, or one that does not")


def parts_of(condition):
    return condition.parts if type(condition) is And else [condition]


def test_of_parts(host):
    """Each part of each condition decides about an event of some capture."""
    rules = load_rules(host.fields)
    events = [event for capture in ALERTS for event in events_of(host, rules, capture)]
    for rule in rules.rules:
        parts = parts_of(rule.condition)
        for left_out in parts:
            rest = And([part for part in parts if part is not left_out])
            if not any(rest.holds(event) and not left_out.holds(event) for event in events):
                raise Problem(f"'{rule.name}' is the same without its part {parts.index(left_out) + 1}")


def test_of_exceptions():
    row = {"name": "e", "fields": ["t.path", "t.number"], "comps": ["=", "in"]}
    cases = [({"name": "e", "fields": "t.path", "comps": "in", "values": ["/bin/sh"]}, True),
             ({"name": "e", "fields": "t.path", "comps": "in", "values": ["/usr/bin/sleep"]}, False),
             ({"name": "e", "fields": "t.path", "values": ["/usr/bin/sleep"]}, False),
             (row, True), (row | {"values": []}, True),
             (row | {"values": [["/usr/bin/sleep", [6, 8]]]}, True),
             (row | {"values": [["/bin/sh", [7]]]}, True),
             (row | {"values": [["/bin/sh", [7]], ["/usr/bin/sleep", [6, 7]]]}, False)]
    for exception, truth in cases:
        rules = Rules(json.dumps([GOOD | {"exceptions": [exception]}]), Fields(ROWS))
        if rules.rules[0].condition.holds(EVENT) != truth:
            raise Problem(f"with {exception} the rule should be {truth}")


def test_of_configuration(host):
    """The example that is to be copied, as Falco hands it to the plugin."""
    with open(os.path.join(EXAMPLES, "falco.yaml"), encoding="utf-8") as file:
        example = yaml.safe_load(file)
    schema = json.loads(host.ask("schema"))
    jsonschema.Draft7Validator.check_schema(schema)
    if example["load_plugins"] != [plugin["name"] for plugin in example["plugins"]]:
        raise Problem("not the plugins that are described are loaded")
    jsonschema.Draft7Validator(schema).validate(example["plugins"][0]["init_config"])
    host.ask("init", json.dumps(example["plugins"][0]["init_config"]))


def test_of_captures():
    files = {name[:-len(".cap")] for name in os.listdir(CAPTURES)}
    if files != set(ALERTS):
        raise Problem(f"captures and expectations differ in {sorted(files ^ set(ALERTS))}")


def compare(seen, capture):
    if dict(seen) != ALERTS[capture]:
        raise Problem(f"raised {dict(seen)}, not {ALERTS[capture]}")


def test_of_alerts(host, capture):
    compare(collections.Counter(rule.name for rule, _ in
                                alerts_of(host, load_rules(host.fields), capture)), capture)


# An output that mostly says <NA> helps nobody. The target of a call without one is no flaw.
MAY_BE_ABSENT = {"mrelease.caller.container", "mrelease.target.container"}


def test_of_lines(host, capture):
    """What is printed of an event begins no line."""
    for rule, event in alerts_of(host, load_rules(host.fields), capture):
        if any("\n" in str(event[field]) for field in rule.output_fields if field in event):
            raise Problem(f"'{rule.name}' prints a new line")


def test_of_outputs(host, capture):
    for rule, event in alerts_of(host, load_rules(host.fields), capture):
        absent = {field for field in rule.output_fields - MAY_BE_ABSENT if event[field] is None}
        if absent:
            raise Problem(f"'{rule.name}' says nothing of {', '.join(sorted(absent))}")


# -- a real Falco ----------------------------------------------------------------------------------

def find_falco(oldest):
    """Its path; None: there is none that is as new."""
    falco = os.environ.get("FALCO") or shutil.which("falco")
    if not falco:
        return None
    told = subprocess.run([falco, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    version = re.search(r"Falco version: *v?([0-9]+)\.([0-9]+)", told)
    return falco if version and (int(version[1]), int(version[2])) >= oldest else None


def run_falco(falco, plugin, open_params, *options, **settings):
    with tempfile.TemporaryDirectory(prefix="mrelease-falco.") as directory:
        config = os.path.join(directory, "falco.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({
                "engine": {"kind": "nodriver"}, "load_plugins": ["mrelease"],
                "plugins": [{"name": "mrelease", "library_path": plugin, "init_config": {},
                             "open_params": open_params}],
                "rules_files": [os.path.abspath(RULES)], "watch_config_files": False,
                "json_output": True, "stdout_output": {"enabled": True}, "rule_matching": "all",
                "syslog_output": {"enabled": False}, "priority": "debug"} | settings, file)
        return subprocess.run([falco, "-c", config, "--disable-source", "syscall", *options],
                              capture_output=True, text=True, timeout=60)


def test_of_falco_loading(falco, host):
    done = run_falco(falco, host.plugin, "", "--validate", os.path.abspath(RULES))
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    results = reports[-1]["falco_load_results"] if reports else []
    if done.returncode or not results or any(
            not result["successful"] or result["errors"] or result["warnings"]
            or result.get("schema_warnings") for result in results):
        raise Problem(done.stdout + done.stderr)


def test_of_falco_telling(falco, host):
    """What it prints about the plugin, and all that the plugin says for it, is accepted."""
    for options in (["--plugin-info=mrelease"], ["--list=mrelease"], ["--dry-run"], ["-L"]):
        done = run_falco(falco, host.plugin, "", *options)
        if done.returncode:
            raise Problem(f"{options[0]}: {done.stdout}{done.stderr}")


def compare_falco(done, capture):
    if done.returncode:
        raise Problem(done.stdout + done.stderr)
    alerts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    compare(collections.Counter(alert["rule"] for alert in alerts if "rule" in alert), capture)


def test_of_falco_alerts(falco, host, capture):
    compare_falco(run_falco(falco, host.plugin, "replay:" + capture_path(capture)), capture)


ALERT = re.compile(r"^[0-9:.]+: [A-Z][a-z]+ ", re.MULTILINE)


def test_of_falco_text(falco, host, capture):
    """One alert is one line, and only Falco begins one."""
    done = run_falco(falco, host.plugin, "replay:" + capture_path(capture), json_output=False)
    lines = [line for line in done.stdout.splitlines() if ALERT.match(line)]
    if done.returncode or len(lines) != sum(ALERTS[capture].values()):
        raise Problem(done.stdout + done.stderr)
    if any(line.startswith("12:00:00.0:") for line in lines):
        raise Problem("a caller has written a line:\n" + done.stdout)


def test_of_falco_captures(falco, host):
    """What Falco itself records of an alert raises the alert once more."""
    name = "container_reaps_outside"
    with tempfile.TemporaryDirectory(prefix="mrelease-falco.") as directory:
        run_falco(falco, host.plugin, "replay:" + capture_path(name), capture={
            "enabled": True, "path_prefix": os.path.join(directory, "of"), "mode": "all_rules"})
        for file in os.listdir(directory):
            engine = {"kind": "replay", "replay": {"capture_file": os.path.join(directory, file)}}
            compare_falco(run_falco(falco, host.plugin, "", engine=engine), name)
        if not os.listdir(directory):
            raise Problem("Falco recorded nothing")


# -- TAP -------------------------------------------------------------------------------------------

def all_tests(host):
    falco = find_falco((0, 39))
    yield "conditions_mean_what_they_mean_to_falco", test_of_truth, ()
    yield "conditions_that_falco_refuses_are_refused", test_of_refusals, ()
    yield "rules_that_break_the_conventions_are_refused", test_of_bad_rules, ()
    yield "exceptions_are_what_they_are_to_falco", test_of_exceptions, ()
    yield "example_of_a_configuration_is_accepted", test_of_configuration, (host,)
    yield "no_part_of_a_condition_can_be_left_out", test_of_parts, (host,)
    yield "rules_name_only_what_the_plugin_offers", test_of_rules, (host,)
    yield "each_capture_has_an_expectation", test_of_captures, ()
    for capture in sorted(ALERTS):
        yield f"{capture}_raises_exactly_its_alerts", test_of_alerts, (host, capture)
        yield f"{capture}_fills_the_outputs", test_of_outputs, (host, capture)
        yield f"{capture}_begins_no_line", test_of_lines, (host, capture)
    if not falco:
        yield "a_falco_agrees", None, ()
        return
    yield "falco_validates_the_rules", test_of_falco_loading, (falco, host)
    yield "falco_tells_of_the_plugin", test_of_falco_telling, (falco, host)
    yield "falco_reads_its_own_capture_again", find_falco((0, 42)) and test_of_falco_captures, (falco, host)
    for capture in sorted(ALERTS):
        yield f"falco_agrees_on_{capture}", test_of_falco_alerts, (falco, host, capture)
        yield f"falco_prints_a_line_per_alert_of_{capture}", test_of_falco_text, (falco, host, capture)


def run(number, name, test, arguments):
    if not test:
        print(f"# skipped: no falco as new as that in PATH, nor named by FALCO\nok {number} # SKIP {name}")
        return True
    try:
        test(*arguments)
        print(f"ok {number} - {name}")
        return True
    except Exception as problem:  # whatever it is, the next test shall run
        text = str(problem) if isinstance(problem, Problem) else traceback.format_exc()
        print(f"not ok {number} - {name}\n# " + text.strip().replace("\n", "\n# "))
        return False


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if platform.machine() != "x86_64":
        print("1..1\n# skipped: the captures are of x86-64\nok 1 # SKIP rules")
        return
    tests = list(all_tests(Host(*sys.argv[1:])))
    print(f"1..{len(tests)}")
    results = [run(number, *test) for number, test in enumerate(tests, 1)]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
