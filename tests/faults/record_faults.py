"""Records that are not what they should be: all of them are in bronze as they came, the broken ones in quarantine with
where they stood, the others in silver."""
import base64
import json
import random
import resource

from fault_project import Project, check, event, events, expect

MEBI = 1 << 20


def broken(rng):
    """Values that silver cannot read: no prefix of them holds an id."""
    good = json.dumps({"n": 1, "text": "caf\u00e9 " * 10, "id": "event-x"}, ensure_ascii=False).encode()
    end = good.index(b'"id"')
    yield None
    yield b""
    yield b" \n\t"
    yield b"null"
    yield b"[]"
    yield b"17"
    yield b"\xff\xfe\x00\x01"
    yield b'{"n": 1, "text": "\xed\xa0\x80'  # half a surrogate pair, then the end
    yield b"{" * 5000
    yield b"\x00" * 300
    for _ in range(40):
        yield good[:rng.randrange(1, end)]


def odd_records(broker, folder):
    seed = random.SystemRandom().randrange(1 << 30)
    rng = random.Random(seed)
    print(f"       seed {seed}", flush=True)
    deep = b'{"id": "event-0", "n": 0, "other": ' + b"[" * 400 + b"]" * 400 + b"}"
    text = b'{"id": "event-1", "n": 1, "text": "' + "\u20ac".encode() * 1000 + b'"}'
    escaped = b'{"id": "event-2", "n": 2, "text": "\\ud83d\\ude00 \\u0000 \\n"}'
    invalid = b'{"id": "event-\xc3\x28", "n": 200}'  # read as U+FFFD, as Spark does
    values = [deep, text, escaped, invalid, *broken(rng), *events(3, 100)]
    rng.shuffle(values)
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, values)
    project.run()
    check(project, ledger)
    rows = project.query("SELECT raw, source.topic AS topic, source.partition AS p, source.offset AS o FROM silver_quarantine")
    by_place = {(p, o): value for p, o, value in ledger}
    expect(all(row["topic"] == topic for row in rows), f"topics in quarantine: {rows[:3]}")
    for row in rows:
        value, raw = by_place[row["p"], row["o"]], row.get("raw")
        expect((raw is None and value is None) or base64.b64decode(raw or "") == value, f"raw of {row}, produced {value!r}")


def deeply_nested(broker, folder):
    """Deeper than any reader recurses: no crash, and the records around it are there."""
    topic = broker.create(max_message_bytes=20 * MEBI)
    depth = 2_000_000
    values = [b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth,
              b'{"n": 1, "text": ' + b"[" * depth + b"]" * depth + b', "id": "event-0"']
    ledger = broker.produce(topic, values + events(10, 20))
    project = Project(folder, broker, topic)
    project.run()
    rows = project.query("SELECT count(*) AS n FROM silver_quarantine")
    expect(rows[0]["n"] == len(values), f"quarantine holds {rows}")
    check(project, ledger)


def huge_records(broker, folder):
    """100 MB each, one good and one broken: through all tables, in bounded memory."""
    size, part = 100 * MEBI, 10 * MEBI  # a string is at most 20,000,000 characters, as in Spark
    topic = broker.create(partitions=2, max_message_bytes=120 * MEBI)
    good = event(0, text="x" * part, other=["z" * part] * 9)
    values = events(1, 10) + [good, b"{" + b"y" * size] + events(20, 10)
    ledger = broker.produce(topic, values, partition=0)
    project = Project(folder, broker, topic)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    project.run()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"       peak {peak:.0f} MiB (before {before / 1024:.0f})", flush=True)
    expect(peak < 3000, f"two records of 100 MB took {peak:.0f} MiB")
    rows = project.query("SELECT text_length AS size FROM silver WHERE id = 'event-0'")
    expect(rows == [{"size": part}], f"the large record in silver: {rows}")
    rows = project.query("SELECT length(raw) AS size, source.offset AS o FROM silver_quarantine")
    expect(rows == [{"size": size + 1, "o": 11}], f"the large record in quarantine: {rows}")
    check(project, ledger)


CASES = (odd_records, deeply_nested, huge_records)
