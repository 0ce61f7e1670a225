# SPDX-License-Identifier: Apache-2.0
"""For tests of destinations: runs the program of deliver.c, and tests beside each other."""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback

LINES = ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']
SECRET = "s3cr3t-of-the-house"
ROOM = tempfile.TemporaryDirectory(prefix="mrelease-contract.")


def put_file(name, text):
    path = os.path.join(ROOM.name, name)
    with tempfile.NamedTemporaryFile("w", dir=ROOM.name, encoding="utf-8", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)  # tests run beside each other
    return path


def run(destination, requests=(LINES,), form="ecs", environment=None, between=None):
    """Each of the requests' verdicts; what went to standard error is in the last element."""
    program = subprocess.Popen([sys.argv[1], form, destination], stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=dict(os.environ, **(environment or {})))
    said = []
    for number, lines in enumerate(requests):
        if number and between:
            between(number)
        program.stdin.write(lines if isinstance(lines, str) else "\n".join(lines) + "\n\n")
        program.stdin.flush()
        if not isinstance(lines, str):
            said.append(program.stdout.readline())
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0, err[-3000:]
    assert SECRET not in "".join(said) + out + err, "a secret was told"
    return [json.loads(line) for line in said if line] + [err]


def verdicts(said):
    return set(said["verdicts"])


def refusal(destination, form="ecs"):
    done = subprocess.run([sys.argv[1], form, destination], input="", text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 1, (destination, form, done)
    return json.loads(done.stdout)["error"]


class Skipped(Exception):
    """What a test needs is not there."""


def run_tests(tests, at_end=lambda: None):
    """All functions test_… of it, at once; or those that $MRELEASE_TEST_FILTER names, a pattern."""
    wanted = "test_" + os.environ.get("MRELEASE_TEST_FILTER", "*")
    tests = [(name, test) for name, test in list(tests.items()) if fnmatch.fnmatch(name, wanted)]
    print(f"1..{len(tests)}")
    failed, results, skipped, began = 0, {}, {}, time.monotonic()

    def one(name, test):
        try:
            test()
            results[name] = ""
        except Skipped as why:
            results[name], skipped[name] = "", str(why)
        except Exception:  # whatever it is, the next test shall run
            results[name] = traceback.format_exc().strip().replace("\n", "\n# ")
    threads = [threading.Thread(target=one, args=pair, daemon=True) for pair in tests]
    for thread in threads:
        thread.start()
    for number, (thread, (name, _)) in enumerate(zip(threads, tests), 1):
        thread.join(120)
        error = results.get(name, "it hangs")
        failed += bool(error)
        if name in skipped:
            print(f"# skipped: {skipped[name]}\nok {number} # SKIP {name[5:]}")
            continue
        print(f"{'not ' if error else ''}ok {number} - {name[5:]}" + (f"\n# {error}" if error else ""))
    print(f"# {time.monotonic() - began:.1f} s")
    at_end()
    ROOM.cleanup()
    sys.stdout.flush()
    os._exit(failed > 0)
