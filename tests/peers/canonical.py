"""One text form of a row, the same whichever engine read it, so that tables can be compared as multisets of rows.

Timestamps are microseconds since 1970 UTC, binary is base64, a map is a sorted list of pairs, decimals keep their scale.
"""
import base64
import datetime
import decimal
import hashlib
import json
import math

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def value(v):
    if isinstance(v, datetime.datetime):
        aware = v if v.tzinfo else v.replace(tzinfo=datetime.timezone.utc)
        return {"us": (aware - EPOCH) // datetime.timedelta(microseconds=1)}
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, (bytes, bytearray, memoryview)):
        return {"b64": base64.b64encode(bytes(v)).decode()}
    if isinstance(v, decimal.Decimal):
        return {"dec": f"{v:f}"}
    if isinstance(v, float):
        return {"f": "nan" if math.isnan(v) else repr(v)}
    if isinstance(v, dict):
        return {k: value(x) for k, x in sorted(v.items())}
    if isinstance(v, (list, tuple)):
        return [value(x) for x in v]
    return v


def shaped(v, kind):
    """A value as any engine hands it over -> what `value` takes, by the Delta type `kind` (a schema's JSON)."""
    if v is None:
        return None
    name = kind if isinstance(kind, str) else kind["type"]
    if name == "map":
        pairs = v.items() if isinstance(v, dict) else [(p["key"], p["value"]) if isinstance(p, dict) else tuple(p) for p in v]
        return sorted([k, shaped(x, kind["valueType"])] for k, x in pairs)
    if name == "array":
        return [shaped(x, kind["elementType"]) for x in v]
    if name == "struct":
        row = v.asDict() if hasattr(v, "asDict") else v
        return {f["name"]: shaped(row.get(f["name"]), f["type"]) for f in kind["fields"]}
    if name in ("double", "float"):
        return float(v)
    if name == "binary":
        return base64.b64decode(v) if isinstance(v, str) else bytes(v)
    if name == "date" and isinstance(v, str):
        return datetime.date.fromisoformat(v)
    if name == "timestamp" and isinstance(v, str):
        return datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
    if name.startswith("decimal"):
        scale = int(name.rstrip(")").split(",")[1])
        return decimal.Decimal(str(v)).quantize(decimal.Decimal(1).scaleb(-scale), context=decimal.Context(prec=76))
    return v


def row(values, schema, millis):
    """`values`: column name -> value. `millis`: timestamps are cut to milliseconds, as Spark's JSON form prints them."""
    out = {f["name"]: value(shaped(values.get(f["name"]), f["type"])) for f in schema["fields"]}
    if millis:
        out = cut(out)
    return json.dumps(out, sort_keys=True, ensure_ascii=True)


def cut(v):
    if isinstance(v, dict):
        return {"us": v["us"] // 1000 * 1000} if set(v) == {"us"} else {k: cut(x) for k, x in v.items()}
    return [cut(x) for x in v] if isinstance(v, list) else v


def summary(rows, schema):
    """What two engines must agree on: {"rows": n, "micros": digest, "millis": digest, "sample": first rows}."""
    out = {"rows": 0, "sample": []}
    for name, millis in (("micros", False), ("millis", True)):
        texts = sorted(row(r, schema, millis) for r in rows)
        out["rows"] = len(texts)
        out[name] = hashlib.sha256("\n".join(texts).encode()).hexdigest()
        out["sample"] = texts[:3]
    return out
