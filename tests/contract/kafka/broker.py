# SPDX-License-Identifier: Apache-2.0
"""A real broker, and what is in its topics. KAFKA names its directory, as ci/receivers_kafka.sh makes it."""
import os
import signal
import socket
import subprocess
import time

import confluent_kafka
import confluent_kafka.admin

HOME = os.environ.get("KAFKA", "")
JAVA = ["java", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
PASSWORD = "pass-7a1c-word"
started = []


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """Listens without and, with `certificates` (a directory that has ca.pem, broker.pem), with TLS and passwords."""

    def __init__(self, room, certificates=None):
        self.room, self.process = room, None
        self.port, controller, self.tls_port, self.sasl_port = free_ports(4)
        self.address = f"127.0.0.1:{self.port}"
        at = {"PLAINTEXT": self.port}
        lines = []
        if certificates:
            at.update({"SSL": self.tls_port, "SASL_SSL": self.sasl_port})
            plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
            scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
            lines += ["ssl.keystore.type=PEM", f"ssl.keystore.location={certificates}/broker.pem",
                      "ssl.truststore.type=PEM", f"ssl.truststore.location={certificates}/ca.pem",
                      "listener.name.ssl.ssl.client.auth=required",
                      "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
                      f'listener.name.sasl_ssl.plain.sasl.jaas.config={plain} required user_sensor="{PASSWORD}";',
                      f"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram} required;"]
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in at.items())
        protocols = ",".join(f"{name}:{name}" for name in at)
        lines += ["process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{controller}",
                  f"listeners={listeners},CONTROLLER://127.0.0.1:{controller}", f"advertised.listeners={listeners}",
                  "controller.listener.names=CONTROLLER", "inter.broker.listener.name=PLAINTEXT",
                  f"listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT", f"log.dirs={room}/data",
                  "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=1",
                  "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
                  "transaction.state.log.num.partitions=1", "group.initial.rebalance.delay.ms=0",
                  "auto.create.topics.enable=false", "num.partitions=1"]
        with open(f"{room}/properties", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        with open(f"{room}/log4j2.xml", "w", encoding="utf-8") as file:
            file.write('<Configuration><Appenders><Console name="out"/></Appenders><Loggers><Root level="warn">'
                       '<AppenderRef ref="out"/></Root></Loggers></Configuration>')
        self.java = [*JAVA, f"-Djava.io.tmpdir={room}",  # where it unpacks libraries, and leaves them
                     f"-Dlog4j2.configurationFile={room}/log4j2.xml", "-cp", f"{HOME}/libs/*"]
        subprocess.run([*self.java, "kafka.tools.StorageTool", "format", "-t", "bWVtb3J5LW9mLWtlcm5lbA", "-c",
                        f"{room}/properties", "--add-scram", f"SCRAM-SHA-512=[name=sensor,password={PASSWORD}]"],
                       check=True, capture_output=True, timeout=60)

    def start(self):
        with open(f"{self.room}/log", "ab") as log:
            self.process = subprocess.Popen([*self.java, "kafka.Kafka", f"{self.room}/properties"], stdout=log,
                                            stderr=log)
        started.append(self.process)

    def await_(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                with open(f"{self.room}/log", errors="replace", encoding="utf-8") as log:
                    assert self.process.poll() is None, log.read()[-1000:]
                time.sleep(0.05)
        raise AssertionError("the broker does not listen")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def make(self, topic, partitions=1, **settings):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        new = confluent_kafka.admin.NewTopic(topic, partitions, 1,
                                             config={name.replace("_", "."): text for name, text in settings.items()})
        for made in admin.create_topics([new], operation_timeout=10).values():
            made.result(15)

    def count(self, topic):
        """How many messages there are, in all partitions."""
        reader = confluent_kafka.Consumer({"bootstrap.servers": self.address, "group.id": "counter", "log_level": 0})
        count = sum(reader.get_watermark_offsets(confluent_kafka.TopicPartition(topic, one), 10)[1]
                    for one in reader.list_topics(topic, 10).topics[topic].partitions)
        reader.close()
        return count

    def read(self, topic, enough, seconds=20):
        """Messages from the beginning, until there are `enough`, or nothing more comes for a moment."""
        reader = confluent_kafka.Consumer({"bootstrap.servers": self.address, "group.id": "reader",
                                           "auto.offset.reset": "earliest", "log_level": 0, "enable.auto.commit": False,
                                           "enable.partition.eof": False, "fetch.wait.max.ms": 50})
        metadata = reader.list_topics(topic, 10).topics[topic]
        reader.assign([confluent_kafka.TopicPartition(topic, one, 0) for one in metadata.partitions])
        found, end = [], time.monotonic() + seconds
        while time.monotonic() < end and not enough(found):
            found += [one for one in reader.consume(10000, 0.2) if not one.error()]
        reader.close()
        return found


def end_all():
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
