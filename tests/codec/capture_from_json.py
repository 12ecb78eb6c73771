#!/usr/bin/env python3
"""Writes from_json_cases.jsonl: what real Spark makes of a corpus of JSON documents.

Run it in an environment with pyspark==4.2.0 and Java 17 or later:

    python3 tests/codec/capture_from_json.py

First line: {"now_micros": ...} of the run (a text that is only a time is read as today's). Then per group one line
{"group", "schema" (Spark's JSON form), "options"}, and per document {"group", "doc" | "doc64" (base64 of bytes that are
not UTF-8), "json": to_json of the struct with NULL fields, or null when the struct is NULL, or "error"}.
"""
import base64
import json
import pathlib
import random
import time

from pyspark.sql import SparkSession
import pyspark.sql.functions as F

OUT = pathlib.Path(__file__).with_name("from_json_cases.jsonl")
WRITE = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}

BASIC = "a int, b string, c array<int>, d struct<x:int,y:string>, m map<string,int>, e double"
DEEP = ("a int, s string, l array<struct<k:int,v:array<string>>>, n struct<p:struct<q:int,r:map<string,struct<z:int>>>,w:string>,"
        " mm map<string,array<int>>, t timestamp")

SYNTAX = [
    '{"a":1,"b":"x"}', "", "  ", "\n", "\t\r\n ", "null", " null ", "true", "5", '"str"', "[]", "[{\"a\":1}]", "{}", "{ }", "[",
    "{", "}", "]", ",", ":", '{"a":1} garbage', '{"a":1}{"a":2}', '{"a":1}]', '{"a":1}}', '{"a":1', '{"a":1,', '{"a":', '{"a"',
    '{"a', '{"', '{"a":tru,"b":"z"}', '{"a":true', '{"a":01,"b":"z"}', '{"a":00}', '{"a":-01}', '{"a":1.0,"b":"z"}',
    '{"a":"1","b":"z"}', '{"a":1,"a":2}', '{"a":1,"a":"x"}', '{"a":1,"a":null}', '{"b":"x","b":"y","a":1}', '{"A":5}',
    '{"c":[1,"x",2],"a":5}', '{"c":[1,null,2],"a":5}', '{"c":[],"a":5}', '{"c":[[1]],"a":5}', '{"c":[1,2,],"a":5}',
    '{"c":[,1],"a":5}', '{"c":[1 2],"a":5}', '{"c":{"x":1},"a":5}', '{"c":[1,{"b":"inner"}],"a":5}', '{"c":["x",{"b":"q"}],"a":5}',
    '{"c":[[[["x"]]]],"a":5,"b":"k"}', '{"c":[1,2}', '{"c":[1,2,"a":5}', '{"c":5,"a":5}', '{"c":"x","a":5}', '{"c":null,"a":5}',
    '{"d":{"x":"q","y":"k"},"a":5}', '{"d":{"x":1,"y":{"z":[1,2]}},"a":5}', '{"d":{},"a":5}', '{"d":[],"a":5}', '{"d":5,"a":5}',
    '{"d":null,"a":5}', '{"d":{"x":1},"d":{"y":"b"}}', '{"d":{"x":1,"x":2,"y":null}}', '{"d":{"x":tru,"y":"k"},"a":5}',
    '{"d":{"x":1 "y":"k"},"a":5}', '{"a":1,"d":{"x":[tru],"a":7},"e":1}', '{"a":1,"d":{"y":{"q":tru},"x":3},"e":1}',
    '{"a":1,"d":{"y":"un\tquoted","x":3},"e":1}', '{"a":1,"d":{"x":01,"y":"k"},"e":2.5}', '{"d":{"y":"abc',
    '{"m":{"k":1,"k":2},"a":5}', '{"m":{"k":1,"l":"z"},"a":5}', '{"m":{"k":1,"l":null},"a":5}', '{"m":{},"a":5}', '{"m":[],"a":5}',
    '{"m":{"k":1,"l":tru},"a":5}', '{"m":{"k":1,"l":{"a":9}},"a":5}', '{"m":{"":1,"\\u0041":2,"\\n":3},"a":5}',
    '{"m":{"k":1,,"l":2},"a":5}', '{"m":{"k":99999999999},"a":5}', '{"m":{"\\ud800":1}}', '{"":1,"a":2}',
    "{'a':1,'b':'q'}", "{'a':1,'b':'it\\'s \"q\"'}", '{"b":\'x\\ty\'}', '{"b":\'un\'quoted\',"a":1}', "{\"d\":{'x':4,'y':'\\u0041'}}",
    "{a:1}", '{"a":1,}', '{,"a":1}', '{"a":1,,"b":"x"}', '{"a" 1,"b":"q"}', '{"a":1 "b":"q"}', '{"a"::1}', '{"a":1;"b":"x"}', '{"a":1]',
    '{"a":1,"z":[1,2}', '{"z":tru,"a":1}', '{"z":{,"a":1}', '{"z":01,"a":1}', '{"a":1,"z":tru}', '{"a":1,"z":truex}', '{"z":nul,"a":1}',
    '{"z":"\\q","a":1}', '{"z":"\\u12","a":1}', '{"z":"\\u12G4","a":1}', '{"z":"a\tb","a":1}', '{"z":[1,[2,[3]]],"a":1}',
    '{"z":{"y":{"x":"\\u0000"}},"a":1}', '{"z":1.,"a":1}', '{"z":.5,"a":1}', '{"z":+1,"a":1}', '{"z":1e,"a":1}', '{"z":1e+,"a":1}',
    '{"z":-,"a":1}', '{"z":--1,"a":1}', '{"z":0x10,"a":1}', '{"z":1_000,"a":1}', '{"z":NaN,"a":1}', '{"z":-Infinity,"a":1}',
    '{"z":+Infinity,"a":1}', '{"z":Inf,"a":1}', '{"z":undefined,"a":1}', '{"z":None,"a":1}', '{"z":True,"a":1}',
    '{"a":NaN}', '{"b":NaN}', '{"b":-Infinity}', '{"b":[NaN,-INF,+INF]}', '{"e":NaN,"a":1}', '{"e":"NaN","a":1}', '{"e":1,"a":1}',
    '{"e":1e400,"a":1}', '/*c*/{"a":1}', '{"a":1/*c*/}', '{"a":1//c\n}', '{"a":1#c\n}', '\x00{"a":1}', '{"a":1}\x00', '{"a":\x001}',
    '\x0c{"a":1}', '\xa0{"a":1}', ' \t\r\n{ "a" : 1 , "b" : "x" } ', '{\n  "a": 1,\n  "c": [ 1 , 2 ],\n  "d": { "x" : 3 }\n}',
    '{"a":2147483647}', '{"a":2147483648,"b":"k"}', '{"a":-2147483648}', '{"a":-2147483649}', '{"a":99999999999999999999999}',
    '{"a":1e2}', '{"a":-0}', '{"a":-0.0}', '{"a":true}', '{"a":{}}', '{"a":[]}', '{"a":[1]}', '{"a":""}', '{"a":" "}',
    '{"a":5,"b":{"x":tru},"c":[1]}', '{"a":5,"b":{"x":01}}', '{"a":5,"b":[1,tru],"c":4}', '{"a":5,"b":[tru],"c":4}', '{"a":5,"b":"x\ty"}',
    '{"a":5,"b":"x', '{"a":5,"b":"x\\', '{"a":5,"b":"\\u00', '{"a":5,"b":[1,2', '{"a":5,"b":[1,{"c":[1]},tru],"e":2}', '{"b":["\\q"],"a":5}',
    '{"b":{"k":"\\q","a":6},"a":5}', '{"b":{"k":1,},"a":5}', '{"b":[1,],"a":5}', '{"b":{"k" 1},"a":5}', '{"b":{k:1},"a":5}',
    '{"b":[1}{"a":3}],"a":5}', '{"b":{"x":1]],"a":5}', '{"c":[1,2}]],"a":5}', '{"d":{"x":1]},"a":5}', '{"m":{"k":1]},"a":5}',
    '{"_corrupt_record":"x","a":1}', '{"a":1,"\\u0062":"escaped name"}', '{"\\u0061":1}', '{"a\\u0000":1,"a":2}', '{"\u00e9":1,"a":2}',
]

TEXT = [
    '{"b":{"x": 1.10, "y":[1e5,null,"\\u00e9/"]}}', '{"b":1.10}', '{"b":1e5}', '{"b":-0}', '{"b":-0.0}', '{"b":[-0]}',
    '{"b":12345678901234567890123}', '{"b":true}', '{"b":false}', '{"b":null}', '{"b":[]}', '{"b":{}}', '{"b":[ ]}', '{"b":[[],{}]}',
    '{"b":[1.0,1e7,1e6,123456789.123,0.001,0.0001,1e-7,4.9e-324,1e400,-1e400,-0.0,1E+5,0.1,100,2e-3,0.5e1]}',
    '{"b":123456789012345678901234567890.5}', '{"b":9223372036854775808}', '{"b":[-9223372036854775808, 1e0]}',
    '{"b":{"k":"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u00e9\\u2028"}}', '{"b":["tab\\there", "nl\\n"]}',
    '{"b":["\\ud83d\\ude00 \U0001f600 \u00e9 \\u007f\\u0001 \\/ \\u2028"],"a":1}', '{"b":{"k\\ud83d\\ude00":"x"}}', '{"b":["\\ud800"],"a":5}',
    '{"b":["\\udc00x"],"a":5}', '{"b":["\\ud800\\ud800\\udc00"],"a":5}', '{"b":"\\ud800"}', '{"b":"x\\ud800y"}', '{"b":"\\udc00"}',
    '{"b":"\\ude00\\ud83d"}', '{"b":"\\ud83d\\ude00"}', '{"b":"\\uD83D\\uDE00\\u00E9\\u4e2d"}', '{"b":"\\ud83dx\\ude00"}',
    '{"b":"\U0001f600 \u00e9 \u4e2d \u00f1"}', '{"b":["\ud55c\uad6d\uc5b4 \ud7ff"],"a":1}', '{"b":"\\u0000"}', '{"b":"a\\u0000b"}', '{"b":"\\"\\\\\\/\\b\\f\\n\\r\\t"}', '{"b":"\\q","a":5}',
    '{"b":"\\\'","a":5}', '{"b":"\\u","a":5}', '{"b":"\\U0041","a":5}', '{"b":"","a":5}', '{"b":" ","a":5}', '{"b":"\x7f","a":5}',
    '{"b":"tab\there","a":5}', '{"b":"\x1f"}', '{"b":"nl\nx"}', '{"b":"' + "x" * 31 + '"}', '{"b":"' + "x" * 32 + '"}',
    '{"b":"' + "x" * 33 + '"}', '{"b":"' + "x" * 31 + '\\n"}', '{"b":"' + "x" * 30 + "\u00e9" + '"}', '{"b":"' + "\u00e9" * 40 + '"}',
    '{"b":"' + "x" * 200 + "\\u00e9" * 10 + "y" * 50 + '"}', '{"b":{"a":{"b":{"c":[1,2,{"d":"e"}]}}},"a":1}',
    '{"b": { "a" : [ 1 , 2 ] , "c" : "d e" } ,"a":1}', '{"b":["a","b" , "c"]}', '{"b":\'single\'}', '{"b":[\'single\', {\'k\':\'v"\'}]}',
    '{"b":' + "[" * 20 + "1" + "]" * 20 + "}",
]

BYTES = [
    b'{"b":"\xff\xc3","a":5}', b'\xef\xbb\xbf{"a":1}', b'{"b":"\xed\xa0\x80"}', b'{"b":"\xed\xa0\xbd\xed\xb8\x80"}', b'{"b":"\xf0\x9f\x98"}',
    b'{"b":"\xe2\x82"}', b'{"b":"\xc0\x80"}', b'{"b":"\xf8\x88\x80\x80\x80"}', b'{"b":"\xf4\x90\x80\x80"}', b'{"b":"\xe0\x80\x80"}',
    b'{"b":"\xf0\x80\x80\x80"}', b'{"b":"\xe2\x28\xa1"}', b'{"b":"\xf0\x28\x8c\xbc"}', b'{"b":"\xf0\x90\x28\xbc"}', b'{"b":"\xc3\\u00e9"}',
    b'{"b":"\xc3"}', b'{"b":["\xff"],"a":1}', b'{"\xff":1,"a":2}', b'{"m":{"\xff":1},"a":2}', b'{"a":1,\xff}', b'{"a":1}\xff', b'\xff{"a":1}',
    b'{"z":"\xff","a":2}', b'{"b":{"\xc3":"\xc3"},"a":2}', b'{"b":"' + b"x" * 40 + b'\x80"}', '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-16-le"),
]

LIMITS = [
    '{"b":' + "[" * 999 + "]" * 999 + ',"a":1}', '{"b":' + "[" * 1000 + "]" * 1000 + ',"a":1}', '{"z":' + "[" * 999 + "]" * 999 + ',"a":1}',
    '{"z":' + "[" * 1000 + "]" * 1000 + ',"a":1}', '{"z":' + '{"k":' * 999 + "1" + "}" * 999 + ',"a":1}',
    '{"z":' + '{"k":' * 1000 + "1" + "}" * 1000 + ',"a":1}', '{"b":' + "9" * 1000 + ',"a":1}', '{"b":' + "9" * 1001 + ',"a":1}',
    '{"z":' + "9" * 1000 + ',"a":1}', '{"z":' + "9" * 1001 + ',"a":1}', '{"b":0.' + "9" * 999 + ',"a":1}', '{"b":0.' + "9" * 1000 + ',"a":1}',
    '{"b":0.' + "9" * 1001 + ',"a":1}', '{"b":1.' + "9" * 999 + ',"a":1}', '{"b":1.' + "9" * 1000 + ',"a":1}', '{"e":1.' + "9" * 400 + ',"a":1}',
    '{"z":-' + "9" * 1000 + ',"a":1}', '{"' + "k" * 1500 + '":1,"a":1}', '{"m":{"' + "k" * 1500 + '":1},"a":1}',
    '{"' + "k" * 50000 + '":1,"a":1}', '{"' + "k" * 50001 + '":1,"a":1}',
]

TIMES = [
    "2024-03-01T12:00:00Z", "2024-03-01T12:00:00.123Z", "2024-03-01T12:00:00.123456Z", "2024-03-01 12:00:00.123456789", "2024-03-01",
    "2024-03", "2024", "12:30", "T12:30:15", "2024-03-01T12", "2024-03-01T12:", "2024-03-01T12:5", "2024-3-1 1:2:3.4", "2024-03-01T12:00:00+01:00",
    "2024-03-01T12:00:00-01:30", "2024-03-01T12:00:00+1:00", "2024-03-01T12:00:00+01", "2024-03-01T12:00:00+0100", "2024-03-01T12:00:00+1",
    "2024-03-01T12:00:00+01:3", "2024-03-01T12:00:00 UTC", "2024-03-01T12:00:00Europe/Paris", "2024-03-01T12:00:00 Europe/Paris",
    "2024-03-01T12:00:00EST", "2024-03-01T12:00:00PST", "2024-03-01T12:00:00CET", "2024-03-01T12:00:00GMT+2", "2024-03-01T12:00:00GMT",
    "2024-03-01T12:00:00GMT+02:00", "2024-03-01T12:00:00UT+1", "2024-03-01T24:00:00Z", "2024-02-30", "2023-02-29", "2024-02-29", "1900-02-29",
    "2000-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32", "2024-03-01T12:60:00Z", "2024-03-01T12:00:60Z", "+12024-03-01",
    "-0001-01-01", "-2024-03-01T00:00:00Z", "0000-01-01", "0001-01-01T00:00:00Z", "1582-10-10", "20240301", "19000", "-5", "0", "-141428", "-800000",
    "2147483647", "2147483648", " 2024-03-01 ", "\\t2024-03-01T01:02:03Z\\n", "2024-03-01T", "2024-03-01 ", "2024-03-01Tfoo", "2024-03-01T12:00:00.Z",
    "2024-03-01T12:00:00.", "2024-03-01T12:00:00.1234567Z", "2024-03-01T12:00:00.999999999+05:30", "1709294400", "300000-01-01",
    "294247-01-10T04:00:54.775807Z", "294247-01-10T04:00:54.775808Z", "-290308-12-21T19:59:05.224192Z", "-290308-12-21T19:59:05.224191Z",
    "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", "1960-01-01T00:00:00.5Z", "2024-03-01T12:00:00z", "2024-03-01t12:00:00Z", "now",
    "epoch", "today", "2024-03-31T02:30:00 Europe/Berlin", "2024-10-27T02:30:00 Europe/Berlin", "2024-03-10T02:30:00 America/New_York",
    "2024-03-01T12:00:00+19:00", "2024-03-01T12:00:00-18:00", "2024-03-01T12:00:00+18:01",
    "2024-03-01T12:00:00+01:30:15", "2024-03-01T12:00:00+013015", "2024-03-01T12:00:00UTC+1", "2024-03-01T12:00:00 UTC-08:00",
    "2024-03-01 12:00:00.123 +05:30", "", " ", "x", "2024-03-01T12:00Z", "2024-03-01T12Z", "2024-03-01Z", "2024-03-01T12:00+01:00",
    "2024-03-01T12:00:00 No/Where", "2024-03-01T12:00:00europe/paris", "2024-03-01T12:00:00,123Z", "2024-03-01  12:00:00", "2024-03-01T12:00:00.123 Z",
    "2024/03/01", "01-03-2024", "2024-03-01T-1:00:00", "2024-3", "2024-03-1T1", "2024-003-01", "2024-03-001", "02024-03-01", "0002024-03-01",
    "\\u0032024-03-01", "2024-03-01T12:00:00\\u005a", "\uff11\uff12\uff13\uff14-03-01", "2024-W10", "2024-061", "1e3", "1.5", "true",
]
TIME_VALUES = ["0", "1709294400", "1.5", "-5", "9223372036854775807", "9223372036854", "9223372036855", "99999999999999999999", "true", "null",
               "{}", "[]", "1e3", "-0"]

NUMBERS = [
    "127", "128", "200", "255", "256", "-128", "-129", "32767", "32768", "65535", "65536", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "1.5", "1e2", "-0", "-0.0", "0", "0.0", '"1"', '"NaN"', '"Infinity"', '"+Infinity"', '"-Infinity"',
    '"+INF"', '"-INF"', '"INF"', '"nan"', "NaN", "INF", "+INF", "Infinity", "+Infinity", "-INF", "-Infinity", '"1,234.567"', '" 1.5"', '"1."',
    '".5"', '"+1.5"', '"-1.5"', '"1e5"', '"1E-2"', '"0x10"', '"1d"', '","', '"-"', '"1.2.3"', '"1e"', "12345678.995", "99999999.995", "-99999999.995",
    "99999999.994", "0.005", "-0.005", "0.0049999", "0.015", "2.5", "1e400", "-1e400", "1e-400", "3.4028235e38", "3.4028236e38", "1e-45", "7e-46",
    "true", "false", '"true"', "null", '"AQID"', '"AQI="', '"AQI"', '"A"', '"AQ=="', '"AQ=I"', '"A Q I D"', '"AQ ID"', '"!!!!"', '""',
    '"AQID\\nAQID"', '"AQID AQID"', '"=AAA"', '"AQ==AQ=="', '"AQIDBA=="', '"_-AA"', '"\\u0041QID"', '"AQ\\u003d\\u003d"', '"AQI\\\\"', "1E2",
    "123456789012345678", "1234567890123456789", "0.1", "16777217", "16777216.0", "0.30000001192092896", "1.7976931348623157e308",
    "2.2250738585072014e-308", "9007199254740993", "9007199254740993.0", "0.1234567890123456789", "123456789.123456789", "1e22", "1e23", "8.5e15",
    "100000000000000000000", "1.0e10", "[]", "{}", "[1]", "1e1000000000", "1e-1000000000", "1e99999999999", "12345678901234567890123456789012345678",
    "1234567890123456789012345678.1234567890", "0.00000000000000000000000000000000000001", "00", "01", "-00", "1.", ".5", "-.5", "+5",
]

FUZZ_SEEDS = [
    '{"a":1,"s":"x","l":[{"k":1,"v":["p","q"]},{"k":null,"v":[]}],"n":{"p":{"q":5,"r":{"u":{"z":1},"w":null}},"w":"t"},"mm":{"i":[1,2],"j":[]},"t":"2024-03-01T12:00:00Z"}',
    '{"t":1709294400,"mm":{"x":[1,null]},"n":{"w":{"deep":[1,2,{"y":"z"}]},"p":null},"s":[1.5,"two",{"three":3}],"a":-7,"l":null}',
    '{ "a" : 12 , "s" : "esc \\u00e9 \\n" , "zz" : { "q" : [ true , false , null ] } , "l" : [ { "v" : [ "1" ] , "k" : 2 } ] }',
    '{"n":{"p":{"q":"bad","r":{"u":{"z":"bad"}}},"w":1},"l":[{"k":"bad","v":["x"]},{"k":2,"v":"bad"}],"mm":{"i":["bad"],"j":[1]},"a":1,"s":{"o":1}}',
]
FUZZ_PIECES = ["{", "}", "[", "]", ",", ":", '"', "\\", "'", "tru", "true", "null", "1", "01", "-", "1.5", " ", "\t", "\n", '"a":', '"s":', "{}", "[]", '"x"',
               "NaN", "\\u0041", "\u00e9", "/", "#", "e", "\x01"]


def fuzz(count, seed):
    rng = random.Random(seed)
    out = []
    for _ in range(count):
        text = rng.choice(FUZZ_SEEDS)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            at = rng.randrange(len(text) + 1)
            kind = rng.randrange(5)
            if kind == 0:
                text = text[:at] + text[at + rng.randint(1, 6):]
            elif kind == 1:
                text = text[:at] + rng.choice(FUZZ_PIECES) + text[at:]
            elif kind == 2:
                text = text[:at] + rng.choice(FUZZ_PIECES) + text[at + 1:]
            elif kind == 3:
                text = text[:at]
            else:
                other = rng.choice(FUZZ_SEEDS)
                cut = rng.randrange(len(other))
                text = text[:at] + other[cut:cut + rng.randint(1, 25)] + text[at:]
        out.append(text)
    return list(dict.fromkeys(out))


def times():
    docs = ['{"t":"%s","n":"%s","d":"%s"}' % (v, v, v) for v in TIMES]
    return docs + ['{"t":%s,"n":%s,"d":%s}' % (v, v, v) for v in TIME_VALUES]


def numbers():
    docs = []
    for value in NUMBERS:
        docs.append("{" + ",".join('"%s":%s' % (k, value) for k in "bsilfdm") + ',"m0":%s,"m38":%s}' % (value, value))
        docs.append('{"o":%s,"i":7}' % value)
        docs.append('{"x":%s,"i":7}' % value)
    return docs


def patterned(field, values):
    return ['{"%s":"%s"}' % (field, v) for v in values]


NUMBER_SCHEMA = ("b tinyint, s smallint, i int, l bigint, f float, d double, m decimal(10,2), m0 decimal(18,0), m38 decimal(38,10),"
                 " o boolean, x binary")
COMMENTS = ['/*c*/{"a":1}', '{"a":1/*c*/,"b":"x"}', '{"a":1//c\n,"b":"y"}', '{"a":1,/*x*y**/"b":"z"}', '{/*', '{"a":1/}', '{"a":/*\x01*/1}', "//x", "/**/",
            '{"a"/*c*/:/*d*/1}', '{"a":1#c\n}']
UNQUOTED = ["{a:1,b:'x'}", "{a :1, b:\"q\"}", "{a-b:1,a:2}", "{1a:1,a:2}", "{@x:1,a:2}", "{$a:1,a:3}", "{a b:1}", "{\u00e9:1,a:2}", "{:1}", "{a.b:1,a:1}", "{a:tru}"]
ANY_ESCAPE = ['{"b":"\\q\\x\\a","a":1}', '{"b":"\\\u00e9","a":1}', '{"b":["\\q"],"a":1}', '{"b":"\\u12","a":1}', '{"z":"\\q","a":1}']
CONTROL = ['{"b":"a\tb\nc\x01","a":1}', '{"b":["a\tb"],"a":1}', '{"z":"\t","a":1}', '{"b\t":1,"a":1}', '{"m":{"k\t":1}}']
ZEROS = ['{"a":007,"b":00.5}', '{"a":-01}', '{"a":000}', '{"b":01}', '{"e":00.50,"b":[0012]}', '{"z":0001,"a":1}', '{"a":0x1}', '{"e":-00}']

GROUPS = [
    ("syntax", BASIC, {}, SYNTAX), ("text", "a int, b string", {}, TEXT), ("bytes", BASIC, {}, BYTES), ("limits", BASIC, {}, LIMITS),
    ("times", "t timestamp, n timestamp_ntz, d date", {}, times()), ("numbers", NUMBER_SCHEMA, {}, numbers()),
    ("corrupt", "a int, _corrupt_record string, b string, d struct<x:int>", {}, SYNTAX + [d for d in TEXT[:12]]),
    ("corrupt_named", "a int, bad string", {"columnNameOfCorruptRecord": "bad"}, SYNTAX[:60]),
    ("fuzz", DEEP, {}, fuzz(900, 7)), ("fuzz_corrupt", DEEP + ", _corrupt_record string", {}, fuzz(150, 11)),
    ("text_arrays", "a int, c array<string>, m map<string,string>, l array<array<int>>", {}, SYNTAX + [
        '{"c":["a",1,true,null,{"k":1},[2]],"a":1}', '{"c":["a",tru],"a":1}', '{"c":["a","b\tc"],"a":1}', '{"m":{"k":{"x":[1]},"l":null,"n":1.0}}',
        '{"l":[[1],[2,null],null,[]],"a":1}', '{"l":[[1],["x"],[2]],"a":1}', '{"l":[[1],2],"a":1}', '{"c":[[["x"]]],"a":1}']),
    ("failfast", "a int, b string", {"mode": "FAILFAST"}, ['{"a":1,"b":"x"}', '{"a":"x"}', '{"a":', "", "null", "[]", '{"a":1} x']),
    ("comments", BASIC, {"allowComments": "true"}, COMMENTS), ("unquoted", BASIC, {"allowUnquotedFieldNames": "true"}, UNQUOTED),
    ("no_single_quotes", BASIC, {"allowSingleQuotes": "false"}, ["{'a':1}", '{"b":\'x\',"a":1}', '{"b":"\\\'","a":1}', '{"a":1}']),
    ("leading_zeros", BASIC, {"allowNumericLeadingZeros": "true"}, ZEROS),
    ("no_nan", BASIC, {"allowNonNumericNumbers": "false"}, ['{"e":NaN,"a":1}', '{"e":"NaN","a":1}', '{"z":NaN,"a":1}', '{"e":"Infinity"}', '{"e":-INF}']),
    ("any_escape", BASIC, {"allowBackslashEscapingAnyCharacter": "true"}, ANY_ESCAPE),
    ("control", BASIC, {"allowUnquotedControlChars": "true"}, CONTROL),
    ("zone", "t timestamp, d date", {"timeZone": "America/New_York"}, patterned("t", [
        "2024-03-01T12:00:00", "2024-07-01 12:00:00", "2024-03-10T02:30:00", "2024-11-03T01:30:00", "2024-03-01", "2024-03-01T12:00:00Z"])),
    ("pattern_1", "t timestamp", {"timestampFormat": "dd/MM/yyyy HH:mm:ss"}, patterned("t", [
        "01/03/2024 12:30:45", "1/3/2024 12:30:45", "31/02/2024 12:30:45", "01/03/2024 24:00:00", "01/03/2024 12:30", "01/03/2024 12:30:45 ",
        "2024-03-01T12:30:45Z", "01/03/12024 12:30:45", "01/03/24 12:30:45", ""]) + ['{"t":5}']),
    ("pattern_2", "t timestamp", {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]"}, patterned("t", [
        "2024-03-01T12:30:45", "2024-03-01T12:30:45.5", "2024-03-01T12:30:45.123Z", "2024-03-01T12:30:45+01:00", "2024-03-01T12:30:45.1234",
        "2024-03-01T12:30:45+0100", "2024-03-01t12:30:45z"])),
    ("pattern_3", "t timestamp, d date", {"timestampFormat": "yyyyMMddHHmmss", "dateFormat": "MMM d, yyyy"}, patterned("t", [
        "20240301123045", "2024030112304", "202403011230450"]) + patterned("d", ["Mar 1, 2024", "mar 01, 2024", "March 1, 2024", "Mar 31, 2024", "Feb 30, 2024"])),
    ("pattern_4", "t timestamp, n timestamp_ntz, d date", {"timestampFormat": "MMM dd hh:mm:ss a Z yyyy", "timestampNTZFormat": "yyyy-MM-dd HH:mm",
                                                          "dateFormat": "yyyy-DDD"}, patterned("t", [
        "Mar 01 01:02:03 PM +0100 2024", "Apr 01 01:02:03 PM +0100 2024", "Mar 01 12:00:00 AM +0000 2024"]) + patterned("n", [
            "2024-03-01 12:30", "2024-03-01 12:30:00", "2024-03-01"]) + patterned("d", ["2024-061", "2024-366", "2023-366", "2024-1"])),
    ("pattern_5", "t timestamp, d date", {"timestampFormat": "yyyy-MM-dd HH:mm:ss.SSSSSS VV", "dateFormat": "yyyy/M/d"}, patterned("t", [
        "2024-03-01 12:00:00.123456 Europe/Paris", "2024-03-01 12:00:00.1 UTC", "2024-03-01 12:00:00.1 +01:00"]) + patterned("d", ["2024/3/1", "2024/03/01", "2024/12/31"])),
    ("pattern_6", "t timestamp", {"timestampFormat": "yyyy-MM"}, patterned("t", ["2024-03", "2024-3", "2024-13"])),
]


def main():
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    lines = [json.dumps({"now_micros": int(time.time() * 1_000_000), "spark": spark.version})]
    for name, schema, options, docs in GROUPS:
        raw = [d if isinstance(d, bytes) else d.encode() for d in dict.fromkeys(docs)]
        frame = spark.createDataFrame(list(enumerate(raw)), "i int, v binary")
        parsed = frame.select("i", F.from_json(F.col("v").cast("string"), schema, options).alias("s"))
        lines.append(json.dumps({"group": name, "schema": parsed.schema["s"].dataType.jsonValue(), "options": options}))
        shown = parsed.select("i", F.when(F.col("s").isNotNull(), F.to_json("s", WRITE)).alias("j"))
        if options.get("mode") == "FAILFAST":
            answers = []
            for i in range(len(raw)):
                try:
                    answers.append({"json": shown.where(F.col("i") == i).collect()[0].j})
                except Exception as error:  # what Spark fails with is the answer
                    answers.append({"error": "MALFORMED_RECORD_IN_PARSING" if "MALFORMED_RECORD" in str(error) else str(error)[:80]})
        else:
            answers = [{"json": row.j} for row in shown.orderBy("i").collect()]
        for doc, answer in zip(raw, answers):
            try:
                case = {"group": name, "doc": doc.decode()}
            except UnicodeDecodeError:
                case = {"group": name, "doc64": base64.b64encode(doc).decode()}
            lines.append(json.dumps({**case, **answer}))
    OUT.write_text("\n".join(lines) + "\n")
    print(len(lines), "lines")


if __name__ == "__main__":
    main()
