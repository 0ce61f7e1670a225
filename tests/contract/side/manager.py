# SPDX-License-Identifier: Apache-2.0
"""A service manager's part in side programs: it listens, and starts one for each connection."""
import os
import socket
import subprocess
import threading

started = []


class Manager:
    """Accepts, and starts the program with the connection as descriptor 3."""

    def __init__(self, sides, room, name, uid=0):
        self.program = f"{sides}/{name}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(f"{room}/{name}")
        os.chmod(f"{room}/{name}", 0o666)
        # Who calls listen() is whom the other end sees.
        if uid:
            os.seteuid(uid)
        self.socket.listen(4)
        os.seteuid(0)
        self.runs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            run = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" serve on 3<&0 </dev/null', self.program],
                                   stdin=connection)
            connection.close()
            started.append(run)
            self.runs.append(run)
