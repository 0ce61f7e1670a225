# SPDX-License-Identifier: Apache-2.0
"""Conditions of Falco's rules: grammar, types and meaning, from Falco's documentation and headers.

What it does not know (transformers but for val(), modifiers, networks) is an error, so that no rule
leans on something that nobody checked; so is a number that Falco would wrap around.
"""
import fnmatch
import re

NUMERIC = {"uint64", "reltime", "abstime"}
EQUALITY = {"=", "==", "!="}
ORDER = {"<", "<=", ">", ">="}
MEMBERSHIP = {"in", "intersects"}
TEXTUAL = {"contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "pmatch"}
LIST_OPERATORS = MEMBERSHIP | {"pmatch"}
OPERATORS = {
    **{name: EQUALITY | ORDER | MEMBERSHIP for name in NUMERIC},
    "bool": EQUALITY | MEMBERSHIP,
    "string": EQUALITY | ORDER | MEMBERSHIP | TEXTUAL,
}
ALL_OPERATORS = set().union(*OPERATORS.values()) | {"exists"}
GENERIC = {"evt." + name: kind for name, kind in {
    "num": "uint64", "time": "string", "time.iso8601": "string", "rawtime": "abstime",
    "datetime": "string", "pluginname": "string", "plugininfo": "string", "source": "string",
    "hostname": "string"}.items()}

NAME_MAX = 15  # bytes of a process's name that the kernel keeps

TOKEN = re.compile(r"""
    \s+ | (?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*') | (?P<sign>==|!=|<=|>=|[=<>(),])
    | (?P<word>[^\s(),=<>!"'\[\]]+(?:\[(?:"[^"]*"|'[^']*'|[^\]\s"']+)\])?)""", re.X)
FIELD = re.compile(r"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)(?:\[(.+)\])?\Z")
IDENTIFIER = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")


class Problem(Exception):
    """One sentence: what is wrong with a condition, or with a rule."""


# -- fields ----------------------------------------------------------------------------------------

class Fields:
    """What can be asked of an event: the rows of the plugin's get_fields, and Falco's own."""

    def __init__(self, rows):
        self.rows = {row["name"]: row for row in rows}
        self.rows.update({name: {"name": name, "type": kind} for name, kind in GENERIC.items()})

    def look_up(self, text):
        """The row of a field with or without an argument."""
        match = FIELD.match(text)
        if not match or match[1] not in self.rows:
            raise Problem(f"'{text}' is no field of the plugin")
        row, argument = self.rows[match[1]], match[2]
        rules = row.get("arg", {})
        if argument is None:
            if rules.get("isRequired"):
                raise Problem(f"'{text}' needs an argument")
        elif not rules.get("isKey") and not rules.get("isIndex"):
            raise Problem(f"'{match[1]}' takes no argument")
        elif not rules.get("isKey") and not re.fullmatch(r"0|[1-9][0-9]*", argument.strip("\"'")):
            raise Problem(f"the argument of '{text}' is no index")
        return row


# -- meaning ---------------------------------------------------------------------------------------

class And:
    def __init__(self, parts):
        self.parts = parts

    def holds(self, event):
        return all(part.holds(event) for part in self.parts)

    def fields(self):
        return set().union(*(part.fields() for part in self.parts))


class Or(And):
    def holds(self, event):
        return any(part.holds(event) for part in self.parts)


class Not(And):
    def holds(self, event):
        return not self.parts[0].holds(event)


class Check:
    """`event` maps the text of each field to its value; a value that is absent is None."""

    def __init__(self, left, operator, right, is_field=False):
        self.left, self.operator, self.right, self.is_field = left, operator, right, is_field

    def fields(self):
        return {self.left, self.right} if self.is_field else {self.left}

    def holds(self, event):
        value = event[self.left]
        right = event[self.right] if self.is_field else self.right
        if value is None or right is None:
            return False  # whatever the operator: not even != holds of what is absent
        return self.operator == "exists" or MEANING[self.operator](value, right)


def members(value):
    return set(value) if isinstance(value, list) else {value}


def is_path_below(value, prefixes):
    return any((value + "/").startswith(prefix.rstrip("/") + "/") for prefix in prefixes)


MEANING = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: members(a) <= members(b),
    "intersects": lambda a, b: bool(members(a) & members(b)),
    "contains": lambda a, b: b in a,
    "icontains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
    "glob": fnmatch.fnmatchcase,
    "iglob": lambda a, b: fnmatch.fnmatchcase(a.lower(), b.lower()),
    "regex": lambda a, b: re.fullmatch(b, a) is not None,
    "pmatch": is_path_below,
}


# -- grammar ---------------------------------------------------------------------------------------

def tokens_of(text):
    """(kind, text) of each; quoted ones without their quotes."""
    result, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Problem(f"nothing begins like this: {text[at:at + 20]!r}")
        at = match.end()
        if match.lastgroup == "quoted":
            result.append(("quoted", re.sub(r"\\(.)", r"\1", match[0][1:-1])))
        elif match.lastgroup:
            result.append((match.lastgroup, match[0]))
    return result


class Parser:
    """One condition. `names` says what an identifier that stands alone means: name -> node."""

    def __init__(self, text, fields, names=None, lists=None):
        self.tokens = tokens_of(text) + [("end", "")]
        self.at = 0
        self.field_rows, self.names, self.lists = fields, names or (lambda name: None), lists or {}

    def parse(self):
        node = self.expression()
        if self.peek() != ("end", ""):
            raise Problem(f"unexpected '{self.peek()[1]}'")
        return node

    def peek(self):
        return self.tokens[self.at]

    def take(self, *wanted):
        """The next token, if its text is one of these; otherwise None."""
        kind, text = self.peek()
        if kind in ("end", "quoted") or text not in wanted:
            return None
        self.at += 1
        return text

    def need(self, wanted):
        if not self.take(wanted):
            raise Problem(f"'{wanted}' is missing before '{self.peek()[1]}'")

    def chain(self, word, operand, join):
        parts = [operand()]
        while self.take(word):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else join(parts)

    def expression(self):
        return self.chain("or", lambda: self.chain("and", self.negation, And), Or)

    def negation(self):
        if self.take("not"):
            return Not([self.negation()])
        if self.take("("):
            node = self.expression()
            self.need(")")
            return node
        return self.check()

    def check(self):
        kind, text = self.peek()
        if kind != "word":
            raise Problem(f"a field or a macro is missing before '{text}'")
        self.at += 1
        if self.peek()[1] not in ALL_OPERATORS:
            node = self.names(text) if IDENTIFIER.match(text) else None
            if node is None:
                raise Problem(f"'{text}' is neither a macro nor compared to anything")
            return node
        row = self.field_rows.look_up(text)
        return self.comparison(text, row, self.operator_of(text, row))

    def operator_of(self, text, row):
        operator = self.take(*ALL_OPERATORS)
        known = OPERATORS.get(row["type"])
        if known is None:
            raise Problem(f"'{text}' is of a type without known operators: {row['type']}")
        if row.get("isList"):
            known = MEMBERSHIP
        if operator != "exists" and operator not in known:
            raise Problem(f"'{operator}' does not apply to '{text}', of type {row['type']}")
        return operator

    def comparison(self, left, row, operator):
        if operator == "exists":
            return Check(left, operator, True)
        if operator in LIST_OPERATORS:
            return Check(left, operator, [literal(row, text) for text in self.list_value()])
        if self.take("val"):
            return Check(left, operator, self.right_field(row), True)
        return Check(left, operator, literal(row, self.value()))

    def right_field(self, row):
        self.need("(")
        text = self.value()
        self.need(")")
        if self.field_rows.look_up(text)["type"] != row["type"]:
            raise Problem(f"'{text}' is not of the type of '{row['name']}'")
        return text

    def value(self):
        kind, text = self.peek()
        if kind not in ("word", "quoted"):
            raise Problem(f"a value is missing before '{text}'")
        self.at += 1
        return text

    def list_value(self):
        """The texts of a list; the names of lists in it stand for what they hold."""
        result = []
        self.need("(")
        if self.take(")"):
            return result
        while True:
            quoted = self.peek()[0] == "quoted"
            text = self.value()
            result += self.lists[text] if not quoted and text in self.lists else [text]
            if self.take(")"):
                return result
            self.need(",")


def literal(row, text):
    """A value as the type of a field has it."""
    kind, text = row["type"], str(text)
    if kind == "string":
        if row["name"].endswith(".name") and len(text.encode()) > NAME_MAX:
            raise Problem(f"'{text}' is longer than '{row['name']}' ever is")
        return text
    if kind == "bool":
        if text not in ("true", "false"):
            raise Problem(f"'{text}' is not true or false, as '{row['name']}' is")
        return text == "true"
    if not re.fullmatch(r"[0-9]+", text) or int(text) >= 1 << 64:
        raise Problem(f"'{text}' is no unsigned number, as '{row['name']}' is")
    return int(text)
