#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the pages of destinations show: each "mrelease run" there is taken by the program as it
stands, but for the places of files and directories: destination_pages.py PROGRAM. Prints TAP.
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = sys.argv[1]
PLACES = {"/etc/mrelease": "etc", "/var/lib/mrelease": "var", "$home": "home"}


def commands(page):
    """Those of a page, each a list of words."""
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```", file.read(), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", "").splitlines()
    return [[word for word in shlex.split(line, comments=True) if not re.match(r"&|\d?>", word)]
            for line in lines if line.startswith("mrelease run --output")]


def make_files(room):
    """Certificates with their keys, and secrets."""
    for place in PLACES.values():
        os.mkdir(f"{room}/{place}")
    for name in ("ca", "client"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=x", "-days", "9"],
                       cwd=f"{room}/etc", check=True, capture_output=True)
    for name in ("hec.token", "password", "key", "webhook.key"):
        with open(f"{room}/etc/{name}", "w", encoding="ascii") as file:
            file.write("a-secret\n")
        os.chmod(file.name, 0o600)


def problems(room, words):
    """What is wrong with a command, to the command line and to the file of the same."""
    for place, there in PLACES.items():
        words = [word.replace(place, f"{room}/{there}") for word in words]
    missing = [path for word in words for path in re.findall(rf"{room}/etc/[\w.]+", word) if not os.path.exists(path)]
    printed = subprocess.run([PROGRAM, *words[1:], "--print-config"], capture_output=True, text=True, timeout=20)
    with open(f"{room}/config.yaml", "w", encoding="utf-8") as file:
        file.write(printed.stdout)
    checked = subprocess.run([PROGRAM, "check-config", file.name], capture_output=True, text=True, timeout=20)
    return missing or [said.stdout[-300:] + said.stderr for said in (printed, checked) if said.returncode]


def main():
    pages = sorted(glob.glob(f"{TOP}/docs/destinations/*.md")) + [f"{TOP}/docs/siem.md"]
    print(f"1..{len(pages)}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mrelease-pages.") as room:
        make_files(room)
        for number, page in enumerate(pages, 1):
            name, found = os.path.relpath(page, TOP), commands(page)
            wrong = [(shlex.join(one), said) for one in found for said in problems(room, one)]
            is_well = found and not wrong
            failed += not is_well
            print(f"{'' if is_well else 'not '}ok {number} - {name}: {len(found)} commands")
            for command, said in wrong:
                print(f"# {command}\n# {said.strip()}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
