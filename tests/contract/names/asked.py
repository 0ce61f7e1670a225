# SPDX-License-Identifier: Apache-2.0
"""The side program that asks for names, what runtimes hold, and what a test has started: for tests of it alone."""
import os
import signal
import sys
import tempfile

from side import Side

PROGRAM = sys.argv[1]
ROOM = tempfile.TemporaryDirectory(prefix="mrelease-names.")
NGINX, PAUSE, OTHER, CTR = ("%064x" % number for number in (0xa1, 0xa2, 0xa3, 0xa4))
ENDS = []


def at(name):
    return os.path.join(ROOM.name, name)


def nginx(**more):
    return {"id": NGINX, "name": "nginx", "image": "docker.io/library/nginx:1", "digest": "sha256:" + 64 * "a",
            "pod": "web-1", "namespace": "shop", "uid": "6d0a", **more}


def pause():
    return {"id": PAUSE, "pod": "web-1", "namespace": "shop", "uid": "6d0a"}


def boxed(name="box", **more):
    return {"Id": OTHER, "Names": ["/other/" + name, "/" + name], "Image": "shop:1", "ImageID": "sha256:" + 64 * "1",
            "Labels": {"io.kubernetes.pod.name": "p"}, "State": "created", **more}


def own(thing):
    ENDS.append(thing)
    return thing


def side(*sockets, **more):
    it = own(Side(PROGRAM, sockets, **more))
    assert it.open_error == 0, it.log
    return it


def end():
    for one in ENDS:
        (one.kill if isinstance(one, Side) else one.stop)()
    signal.alarm(10)
    ROOM.cleanup()
