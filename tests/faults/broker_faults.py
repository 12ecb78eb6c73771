"""The broker and its topics: missing, unreachable, refusing, restarted; topics deleted and created again."""
import json
import os
import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

from fault_broker import free_ports
from fault_project import Project, check, events, expect

LOGIN = ("`kafka.security.protocol` => 'SASL_PLAINTEXT', `kafka.sasl.mechanism` => 'PLAIN', "
         "`kafka.sasl.username` => '${user}', `kafka.sasl.password` => '${password}'")
TLS = "`kafka.security.protocol` => 'SSL', `kafka.ssl.ca.location` => '${authority}'"


def missing_topic(broker, folder):
    project = Project(folder, broker, "faults-to-come")
    start = time.time()
    project.run(code=2, says=("KAFKA_TOPIC_NOT_FOUND", "faults-to-come", "create the topic"))
    expect(time.time() - start < 20, "it took too long to say that there is no such topic")
    broker.create("faults-to-come")
    ledger = broker.produce("faults-to-come", events(0, 30))
    project.run()
    check(project, ledger)


def unreachable_broker(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 30))
    project = Project(folder, broker, topic, "connectTimeoutMs => 1000")
    port = free_ports(1)[0]
    start = time.time()
    project.run(code=2, says=("KAFKA_UNREACHABLE", f"127.0.0.1:{port}", "bootstrap servers"), brokers=f"127.0.0.1:{port}")
    expect(time.time() - start < 60, "it took too long to say that the broker cannot be reached")
    with project.start(brokers=f"127.0.0.1:{port}") as running:  # goes on trying
        running.wait_for("word of the broker", lambda: "KAFKA_UNREACHABLE" in running.said())
        running.wait_for("a second try", lambda: running.said().count("trying again") > 1)
    project.run()
    check(project, ledger)


def wrong_password(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 30))
    project = Project(folder, broker, topic, LOGIN)
    login = {"brokers": f"127.0.0.1:{broker.login_port}", "user": "sluice"}
    done = project.run(code=2, says=("KAFKA_AUTHENTICATION_FAILED", "kafka.sasl."), **login, password="shut-tight")
    expect("shut-tight" not in done.stderr + done.stdout, "the password was printed")
    project.run(**login, password="open")
    check(project, ledger)


def wrong_authority(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 30))
    project = Project(folder, broker, topic, TLS)
    address = {"brokers": f"127.0.0.1:{broker.tls_port}"}
    project.run(code=2, says=("KAFKA_TLS_FAILED", "kafka.ssl."), **address, authority=broker.other_authority)
    project.run(**address, authority=broker.authority)
    check(project, ledger)


def restarted_broker(broker, folder):
    """Killed while it is read; the run waits and goes on."""
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, events(0, 200))
    with project.start() as running:
        running.wait_for("rows", lambda: project.versions("silver")[1:])
        broker.stop(kill=True)
        running.wait_for("word of the broker", lambda: "unreachable" in running.said())
        broker.start()
        ledger += broker.produce(topic, events(200, 200))
        running.wait_for("the later rows", lambda: project.query("SELECT count(*) AS n FROM silver")[0]["n"] == 400)
    check(project, ledger)


def more_partitions(broker, folder):
    """Partitions added while running are read from their beginning."""
    topic = broker.create()
    project = Project(folder, broker, topic, "`kafka.topic.metadata.refresh.interval.ms` => 500")
    ledger = broker.produce(topic, events(0, 50))
    with project.start() as running:
        running.wait_for("rows", lambda: project.versions("silver")[1:])
        broker.admin.create_partitions([NewPartitions(topic, 4)])[topic].result()
        ledger += broker.produce(topic, events(50, 50), partition=3)
        running.wait_for("the new rows", lambda: project.query("SELECT count(*) AS n FROM silver")[0]["n"] == 100)
    check(project, ledger)


def recreate(broker, topic, values, **config):
    broker.delete(topic)
    time.sleep(0.3)
    broker.create(topic, **config)
    return broker.produce(topic, values) if values else []


def recreated_while_stopped(broker, folder):
    """With fewer, as many and more records than were read: an error; with failOnDataLoss=false all of the new ones."""
    for number, count in enumerate((10, 60, 150)):
        topic = broker.create()
        project = Project(f"{folder}/{number}", broker, topic, "failOnDataLoss => '${loss}'")
        ledger = broker.produce(topic, events(0, 60))
        project.run(loss="true")
        before = project.versions("bronze")
        fresh = recreate(broker, topic, events(1000, count))
        project.run(code=2, says=("KAFKA_DATA_LOSS", topic, "full-refresh", "failOnDataLoss=false"), loss="true")
        expect(project.versions("bronze") == before, "a refused run committed something")
        project.run(loss="false")
        found = project.query("SELECT id FROM silver")
        wanted = {f"event-{n}" for n in [*range(60), *range(1000, 1000 + count)]}
        expect(len(found) == len(wanted) and {row["id"] for row in found} == wanted,
               f"silver holds {len(found)} events instead of {len(wanted)} after {count} in the new topic")
        project.run("--full-refresh-all", loss="true")
        check(project, fresh)
        expect(len(ledger) == 60, "the ledger of the first topic")


def recreated_while_running(broker, folder):
    """The new topic soon holds more records than were read of the old one: noticed before one of them is taken."""
    for number, count in enumerate((5, 60, 500)):
        topic = broker.create()
        project = Project(f"{folder}/{number}", broker, topic)
        ledger = broker.produce(topic, events(0, 60))
        with project.start() as running:
            running.wait_for("rows", lambda: project.query("SELECT count(*) AS n FROM silver")[0]["n"] == 60
                             if project.versions("silver")[1:] else False)
            broker.delete(topic)
            broker.create(topic)
            fresh = broker.produce(topic, events(1000, count))
            running.fails_with("KAFKA_DATA_LOSS", topic)
        check(project, ledger)  # not one row of the new topic
        project.run("--full-refresh-all")
        check(project, fresh)


def records_gone(broker, folder):
    """Deleted by retention before they were read."""
    topic = broker.create()
    project = Project(folder, broker, topic, "failOnDataLoss => '${loss}'", event_log="event_log")
    ledger = broker.produce(topic, events(0, 40))
    project.run(loss="true")
    lost = broker.produce(topic, events(40, 40))
    broker.admin.delete_records([TopicPartition(topic, 0, 30), TopicPartition(topic, 1, 30)])
    time.sleep(1)
    later = broker.produce(topic, events(80, 20))
    done = project.run(code=2, says=("KAFKA_DATA_LOSS", f"{topic}-0", "20", "30"), loss="true")
    expect("retention" in done.stderr, f"no word of retention: {done.stderr}")
    project.run(loss="false")
    check(project, ledger + [record for record in lost if record[1] >= 30] + later)
    said = project.query("SELECT level, details FROM event_log WHERE event_type = 'data_loss' ORDER BY details")
    found = [(row["level"], json.loads(row["details"])["data_loss"]) for row in said]
    expect([(level, gap["partition"], gap["from_offset"], gap["to_offset"], gap["records"]) for level, gap in found] ==
           [("WARN", f"{topic}-{n}", 20, 30, 10) for n in range(2)], f"the event log says {said}")


def bounded_epochs(broker, folder):
    """maxOffsetsPerTrigger and limits.max_rows_per_epoch bound every epoch; what is read does not change."""
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 1000))
    for name, options, settings in (("offsets", "maxOffsetsPerTrigger => 130", ""),
                                    ("rows", "", "limits:\n  max_rows_per_epoch: 130\n")):
        project = Project(f"{folder}/{name}", broker, topic, options, settings=settings)
        project.run()
        check(project, ledger)
        sizes = epoch_sizes(project)
        expect(sum(sizes) == 1000 and max(sizes) <= 130 and len(sizes) >= 8,
               f"rows of the epochs with {options or settings}: {sizes}")


def epoch_sizes(project):
    """How far the offsets moved in each commit of bronze."""
    sizes, positions = [], {}
    for version in project.versions("bronze"):
        path = os.path.join(project.table("bronze"), "_delta_log", f"{version:020d}.json")
        with open(path, encoding="utf-8") as file:
            actions = [json.loads(line) for line in file]
        moved = 0
        for txn in (action["txn"] for action in actions if "txn" in action):
            if "#" not in txn["appId"]:
                moved += txn["version"] - positions.get(txn["appId"], 0)
                positions[txn["appId"]] = txn["version"]
        sizes += [moved] * (moved > 0)
    return sizes


CASES = (missing_topic, unreachable_broker, wrong_password, wrong_authority, more_partitions, recreated_while_stopped,
         recreated_while_running, records_gone, bounded_epochs, restarted_broker)
