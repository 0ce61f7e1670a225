# SPDX-License-Identifier: Apache-2.0
"""Checks that every line of a file is what Python's json would write of it, compactly.

Go escapes a few characters that JSON lets stand; these escapes are undone first, and nothing else
is. Prints each line that differs; exits 1 when there is one, or when there are no lines.
"""

import json
import re
import sys

GO_ESCAPES = {"u003c": "<", "u003e": ">", "u0026": "&", "u2028": "\u2028", "u2029": "\u2029",
              "ufffd": "\ufffd"}


def undo_go_escapes(text):
    """Every escape is looked at, so that the second half of a double backslash is not taken for one."""
    return re.sub(r"\\(u003c|u003e|u0026|u2028|u2029|ufffd|.)",
                  lambda match: GO_ESCAPES.get(match[1], match[0]), text)


def reserialised(text):
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def main(path):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    if lines.pop() != b"" or not lines:
        print("# no lines, or the last one has no end")
        return 1
    wrong = 0
    for number, line in enumerate(lines, 1):
        text = line.decode("utf-8")
        if undo_go_escapes(text) != reserialised(text):
            print(f"# line {number} differs: {text!r}\n# from Python's {reserialised(text)!r}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
