# SPDX-License-Identifier: Apache-2.0
"""The verbs of the gRPC client, run: the program is the first argument."""
import subprocess
import sys

from server import WAIT

PROGRAM = sys.argv[1]


class Client:
    """A running `mrelease stream`."""

    def __init__(self, address, *arguments, stdout=subprocess.PIPE):
        self.process = subprocess.Popen([PROGRAM, "stream", "--server", address, *arguments], stdout=stdout,
                                        stderr=subprocess.PIPE, text=True)

    def end(self, seconds=WAIT):
        """Status, lines, and what it said."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError("it does not end: " + str(self.process.communicate())) from None
        if "Sanitizer" in err:
            raise RuntimeError(err)
        return self.process.returncode, (out or "").splitlines(), err

    def await_line(self, text):
        """Reads what it says up to a line."""
        said = [""]
        while text not in said[-1]:
            said.append(self.process.stderr.readline())
            assert said[-1], (text, said)
        return said[-1]


def verb(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=WAIT)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr
