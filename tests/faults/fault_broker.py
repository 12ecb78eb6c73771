"""An Apache Kafka of tests/services/kafka for a whole run: topics of each case, what was produced, logins and TLS."""
import os
import socket
import subprocess
import time

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVICE = os.path.join(ROOT, "tests", "services", "kafka")


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Broker:
    def __init__(self, folder):
        self.folder = folder
        self.port, self.controller, self.login_port, self.tls_port = free_ports(4)
        self.authority = self._make_authority("broker")
        self.other_authority = self._make_authority("other")
        self.topics = 0
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        environment = dict(os.environ, KAFKA_SASL_PORT=str(self.login_port), KAFKA_TLS_PORT=str(self.tls_port),
                           KAFKA_TLS_KEYS=os.path.join(self.folder, "broker.keys.pem"), KAFKA_HEAP="700m")
        subprocess.run([os.path.join(SERVICE, "start.sh"), str(self.port), os.path.join(self.folder, "data"),
                        str(self.controller)], check=True, stdout=subprocess.DEVNULL, env=environment)
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 2})

    def stop(self, kill=False):
        subprocess.run([os.path.join(SERVICE, "stop.sh"), os.path.join(self.folder, "data")] + ["--kill"] * kill,
                       check=True)

    def _make_authority(self, name):
        """A self-signed certificate of 127.0.0.1 beside its key; the certificate's path."""
        os.makedirs(self.folder, exist_ok=True)
        key, certificate = (os.path.join(self.folder, f"{name}.{kind}.pem") for kind in ("key", "cert"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        with open(os.path.join(self.folder, f"{name}.keys.pem"), "w", encoding="ascii") as both:
            for part in (key, certificate):
                with open(part, encoding="ascii") as file:
                    both.write(file.read())
        return certificate

    def create(self, topic=None, partitions=2, **config):
        """Makes a topic, of a new name when none is given; its name. One that was just deleted is waited for."""
        if topic is None:
            self.topics += 1
            topic = f"faults-{self.topics}"
        config = {name.replace("_", "."): str(value) for name, value in config.items()}
        end = time.time() + 30
        while True:
            try:
                self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result()
                return topic
            except KafkaException:
                if time.time() > end:
                    raise
                time.sleep(0.1)

    def delete(self, topic):
        self.admin.delete_topics([topic])[topic].result()

    def produce(self, topic, values, partition=None):
        """Sends the values, over both partitions in turn when none is named; [(partition, offset, value)]."""
        sent, errors = [], []

        def delivered(error, message, value):
            if error is not None:
                errors.append(error)
            else:
                sent.append((message.partition(), message.offset(), value))

        producer = Producer({"bootstrap.servers": self.address, "message.max.bytes": 125_000_000, "linger.ms": 1,
                             "enable.idempotence": True, "log_level": 2})
        for number, value in enumerate(values):
            where = number % 2 if partition is None else partition
            producer.produce(topic, value, partition=where,
                             on_delivery=lambda error, message, v=value: delivered(error, message, v))
            producer.poll(0)
        if producer.flush(60) or errors:
            raise RuntimeError(f"records were not delivered to {topic}: {errors[:1]}")
        return sent
