# SPDX-License-Identifier: Apache-2.0
"""Certificates that openssl makes for the tests of TLS."""
import os
import subprocess
import tempfile

import grpc


class Certificates:
    """A directory: an authority, a foreign one, and NAME.pem, NAME.key of what they signed."""

    def __init__(self):
        self.room = tempfile.TemporaryDirectory(prefix="mrelease-tls.")
        for authority in ("ca", "foreign"):
            self.openssl("req", "-x509", *self.key(authority), "-out", self[authority + ".pem"],
                         "-subj", "/CN=" + authority, "-days", "30")
        for name, authority, days in (("server", "ca", 30), ("other", "ca", 30), ("client", "ca", 30),
                                      ("late", "ca", -1), ("stranger", "foreign", 30), ("soon", "ca", 3)):
            self.sign(name, authority, days)

    def __getitem__(self, name):
        return os.path.join(self.room.name, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.room.cleanup()

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)

    def key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self[name + ".key"])

    def sign(self, name, authority, days, names="IP:127.0.0.1,DNS:localhost"):
        self.openssl("req", *self.key(name), "-out", self[name + ".csr"], "-subj", "/CN=" + name,
                     "-addext", "subjectAltName=" + names)
        self.openssl("x509", "-req", "-in", self[name + ".csr"], "-CA", self[authority + ".pem"], "-CAkey",
                     self[authority + ".key"], "-CAcreateserial", "-out", self[name + ".pem"], "-days", str(days),
                     "-copy_extensions", "copy")

    def settings(self, name="server", mutual=True):
        return f",cert={self[name + '.pem']},key={self[name + '.key']}" + (
            f",client-ca={self['ca.pem']}" if mutual else "")

    def read(self, name):
        with open(self[name], "rb") as file:
            return file.read()

    def credentials(self, client="client", authority="ca"):
        pair = (self.read(client + ".key"), self.read(client + ".pem")) if client else (None, None)
        return grpc.ssl_channel_credentials(self.read(authority + ".pem"), *pair)
