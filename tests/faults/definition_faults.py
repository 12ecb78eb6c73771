"""Definitions that cannot run: wrong SQL, options, missing configuration. Nothing is created, and the file, line and
column are named."""
import os

from fault_project import Project, check, events, expect


def wrong_sql(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 20))
    project = Project(folder, broker, topic)
    path = os.path.join(folder, "transformations", "broken.sql")
    mistakes = {  # text, what is said of it
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT offst FROM STREAM bronze;":
            ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "broken.sql:1:47", "offset", "^"),
        "CREATE OR REFRESH STREAMING TABLE t AS\nSELEC 1;": ("PARSE_SYNTAX_ERROR", "broken.sql:2:1", "^"),
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM STREAM nowhere;":
            ("TABLE_OR_VIEW_NOT_FOUND", "broken.sql:1:", "nowhere"),
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT 1 AS one;":
            ("INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE", "broken.sql:1:"),
        "CREATE OR REFRESH STREAMING TABLE silver AS SELECT * FROM STREAM bronze;":
            ("PIPELINE_DUPLICATE_IDENTIFIERS.DATASET", "broken.sql:1:", "silver"),
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM STREAM read_kafka(bootstrapServers => '${brokers}', "
        "subscribe => '${topic}', failOnDataLos => 'false');": ("KAFKA_INVALID_OPTION", "failOnDataLos"),
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT value FROM STREAM read_kafka(bootstrapServers => '${nobody}', "
        "subscribe => '${topic}');": ("UNDEFINED_CONFIGURATION", "nobody"),
    }
    for number, (text, says) in enumerate(mistakes.items()):
        project.write("transformations/broken.sql", text + "\n")
        if number % 2 == 0:
            project.sluice("dry-run", code=1, says=says)
        project.run(code=1, says=says)
    expect(not os.path.exists(project.warehouse), "a definition that cannot run left something in the warehouse")
    os.remove(path)
    project.run()
    check(project, ledger)


def failed_expectation(broker, folder):
    """FAIL UPDATE commits nothing of the epoch and is exit code 3; after the rule is relaxed all is there."""
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, events(0, 50))
    project.run()
    before = project.versions("silver")
    ledger += broker.produce(topic, events(50, 10) + events(1000, 1) + events(60, 10), partition=1)
    path = "transformations/pipeline.sql"
    with open(os.path.join(folder, path), encoding="utf-8") as file:
        text = file.read()
    rule = "CONSTRAINT small EXPECT (n < 1000) ON VIOLATION FAIL UPDATE,\n  CONSTRAINT has_id"
    project.write(path, text.replace("CONSTRAINT has_id", rule))
    project.run(code=3, says=("EXPECTATION_FAILED", "small", "event-1000", "partition 1, offset 35"))
    expect(project.versions("silver")[:len(before)] == before and
           project.query("SELECT max(n) AS most FROM silver")[0]["most"] < 50, "the failed epoch left rows in silver")
    project.write(path, text)
    project.run()
    check(project, ledger)


CASES = (wrong_sql, failed_expectation)
