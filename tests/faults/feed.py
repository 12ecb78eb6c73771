"""feed.py BROKERS TOPIC RATE SEED LEDGER: produces realistic events until standard input is closed, then flushes.

About 1% duplicates, 0.5% broken JSON, 1% rule breakers, 1% too late. The ledger is written as the broker acknowledges:
one JSON line a record {"p", "o", "class", "id", "time", "value"}.
"""
import datetime
import json
import random
import select
import sys
import time

from confluent_kafka import Producer

BROKERS, TOPIC, RATE, SEED, LEDGER = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
TYPES = ["page_view", " Search", "logout ", "PURCHASE", "login"]
REGIONS = ["us-west", "ap-south", "us-east", "eu-west"]
rng = random.Random(SEED)
ledger = open(LEDGER, "w", encoding="utf-8")
producer = Producer({"bootstrap.servers": BROKERS, "linger.ms": 5, "enable.idempotence": True})


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def good(moment):
    number = f"{rng.getrandbits(128):032x}"
    return {"event_id": f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}",
            "customer_id": f"{rng.randrange(5000):010d}", "event_type": rng.choice(TYPES), "event_time": iso(moment),
            "properties": {"region": rng.choice(REGIONS), "revenue": f"{rng.randrange(100000) / 100:.2f}",
                           "response_time": str(rng.randrange(900)), "page": f"/products/{rng.randrange(5000)}"}}


def breaker(now):
    event = good(now)
    kind = rng.randrange(5)
    if kind == 0:
        event["customer_id"] = "12-34"
    elif kind == 1:
        event["event_id"] = None
    elif kind == 2:
        event["event_time"] = None
    elif kind == 3:
        event["event_time"] = iso(now - datetime.timedelta(days=40))
    else:
        event["event_time"] = iso(now + datetime.timedelta(hours=3))
    return ("dropped" if kind > 2 else "broken"), event


recent = []


def make():
    """(class, event or None, payload)"""
    now = datetime.datetime.now(datetime.timezone.utc)
    dice = rng.randrange(10000)
    if dice < 100 and recent:
        event = rng.choice(recent)
        return "duplicate", event, json.dumps(event)
    if dice < 150:
        return "bad", None, rng.choice(["", "not json", json.dumps(good(now))[:40], "\xff\xfe"])
    if dice < 250:
        kind, event = breaker(now)
        return kind, event, json.dumps(event)
    event = good(now - datetime.timedelta(minutes=rng.randrange(20, 60)) if dice < 350 else now)
    if dice >= 350:
        recent.append(event)
        del recent[:-2000]
    return ("late" if dice < 350 else "good"), event, json.dumps(event)


def acknowledged(kind, event, error, message):
    if error is not None:
        sys.exit(f"not delivered: {error}")
    line = {"p": message.partition(), "o": message.offset(), "class": kind}
    if event:
        line.update(id=event["event_id"], time=event["event_time"])
    ledger.write(json.dumps(line) + "\n")


count, start = 0, time.time()
while not select.select([sys.stdin], [], [], 0)[0]:
    while count < (time.time() - start) * RATE:
        kind, event, payload = make()
        report = lambda error, message, k=kind, e=event: acknowledged(k, e, error, message)
        producer.produce(TOPIC, payload.encode("latin-1"), partition=count % 4, on_delivery=report)
        count += 1
    producer.poll(0.005)
if producer.flush(60):
    sys.exit("records were not delivered")
ledger.close()
