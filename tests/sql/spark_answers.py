"""What real Spark answers to queries, in the form that answer_queries prints for ours.

A query is answered by {"names", "types", "rows"} with each row as JSON of its columns c0, c1, .. (a NULL is left
out), or by {"error": class}. Needs pyspark and Java 17 or later.
"""
import logging
import re

WRITE = ("map('timestampFormat', \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\", "
         "'timestampNTZFormat', \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\")")


def session(**more):
    from pyspark.sql import SparkSession
    settings = {
        "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": "1", "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.legacy.allowUntypedScalaUDF": "false", "spark.default.parallelism": "1", "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.adaptive.enabled": "false", "spark.sql.autoBroadcastJoinThreshold": "-1", "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": "/tmp/sluice-spark-warehouse", **more}
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    return spark


def statements(text):
    """The statements of a file: each ends with a ';' at the end of a line."""
    text = re.sub(r"^--.*\n", "", text, flags=re.M)
    return [s.strip() for s in re.split(r";[ \t]*\n", text + "\n") if s.strip()]


def tables(path):
    """(name, query) of the CREATE TEMPORARY VIEW statements of a file."""
    found = [re.match(r"CREATE TEMPORARY VIEW (\w+) AS\s+(.*)", s, flags=re.S) for s in statements(path.read_text())]
    return [(match.group(1), match.group(2)) for match in found]


def error_class(error):
    for get in ("getCondition", "getErrorClass"):
        if hasattr(error, get):
            try:
                found = getattr(error, get)()
            except Exception:  # what py4j makes of an exception without one
                found = None
            if found:
                return found
    match = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(error))
    return match.group(1) if match else "?" + str(error)[:200]


def answer(spark, sql):
    try:
        frame = spark.sql(sql)
        fields = frame.schema.fields
        names = [f.name for f in fields]
        columns = [f"c{i}" for i in range(len(fields))]
        shown = frame.toDF(*columns)
        if fields:
            shown = shown.selectExpr(f"to_json(struct({', '.join(columns)}), {WRITE}) AS j")
            rows = [row.j for row in shown.collect()]
        else:
            rows = ["{}"] * shown.count()
        return {"names": names, "types": [f.dataType.simpleString() for f in fields], "rows": rows}
    except Exception as error:  # what Spark fails with is the answer
        return {"error": error_class(error)}
