"""The tables that are published, each told as a story: the columns it is made
with, and one step for each of its versions from 1 on.

Step n of all tables is one transaction.  A step stages actions in it; what
the rows of a version are is not said here, since the test reads that from the
files that are live.
"""

import dataclasses
import datetime
import decimal
from typing import NamedTuple

import pyarrow as pa

UTC = datetime.timezone.utc


class Column(NamedTuple):
    """A column as SQL declares it, and as Arrow should read it."""
    sql: str
    field: pa.Field


def column(name, kind, arrow, nullable=True):
    return Column(f"{name} {kind}{'' if nullable else ' NOT NULL'}", pa.field(name, arrow, nullable))


@dataclasses.dataclass
class Story:
    name: str
    columns: list
    steps: list
    partition_columns: list = dataclasses.field(default_factory=list)
    properties: dict = dataclasses.field(default_factory=dict)

    @property
    def versions(self):
        return range(len(self.steps) + 1)


ID = column("id", "bigint", pa.int64(), nullable=False)
NAME = column("name", "string", pa.string())


def people(first, count):
    """Rows of the columns id and name; every third has no name."""
    return [{"id": i, "name": None if i % 3 == 0 else f"näme {i}"} for i in range(first, first + count)]


# Every primitive and nested type, with the values at its ends.

TYPES = [
    ID,
    column("flag", "boolean", pa.bool_()),
    column("tiny", "byte", pa.int8()),
    column("small", "smallint", pa.int16()),
    column("medium", "int", pa.int32()),
    column("single", "real", pa.float32()),
    column("double", "double", pa.float64()),
    column("price", "numeric(10,2)", pa.decimal128(10, 2)),
    column("wide", "decimal(38,10)", pa.decimal128(38, 10)),
    column("word", "text", pa.string()),
    column("bytes", "bytea", pa.binary()),
    column("day", "date", pa.date32()),
    column("instant", "timestamptz", pa.timestamp("us", "UTC")),
    column("tags", "text[]", pa.list_(pa.string())),
    column("point", "struct<x:int,y:string>", pa.struct([("x", pa.int32()), ("y", pa.string())])),
    column("counts", "map<string,long>", pa.map_(pa.string(), pa.int64())),
]

LEAST = {
    "flag": False, "tiny": -128, "small": -32768, "medium": -2**31, "single": -1.5, "double": float("-inf"),
    "price": decimal.Decimal("-99999999.99"), "wide": decimal.Decimal("-0.0000000001"), "word": "",
    "bytes": b"", "day": datetime.date(1582, 10, 15), "instant": datetime.datetime(1900, 1, 1, tzinfo=UTC),
    "tags": [], "point": {"x": None, "y": None}, "counts": [],
}
GREATEST = {
    "flag": True, "tiny": 127, "small": 32767, "medium": 2**31 - 1, "single": 3.25, "double": float("nan"),
    "price": decimal.Decimal("99999999.99"), "wide": decimal.Decimal("9" * 28 + ".9999999999"),
    "word": "\U0001f418 quote\" back\\slash\nline", "bytes": bytes(range(256)), "day": datetime.date(9999, 12, 31),
    "instant": datetime.datetime(2261, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "tags": ["a", None, ""], "point": {"x": 1, "y": "ü"}, "counts": [("k", 1), ("n", None)],
}


def types_append(table):
    table.stage([table.write([{"id": 1, **LEAST}, {"id": 2, **GREATEST}], "ends"),
                 table.write([{"id": 3}, {"id": 4}], "nulls")])


def types_remove(table):
    table.stage([table.remove("nulls"), table.write([{"id": 5, **LEAST}])])


def types_overwrite(table):
    table.stage([table.write([{"id": 6, **GREATEST}])], mode="overwrite")


# An unpartitioned table in all modes that one can have.

def modes_append(table):
    table.stage([table.write(people(0, 10), "first")], mode="append")


def modes_blind(table):
    table.stage([table.write(people(10, 10)), table.write(people(20, 10), "third")])


def modes_remove(table):
    table.stage([table.remove("first")])


def modes_replace(table):
    table.stage([table.remove("third"), table.write(people(200, 3))], operation="MERGE",
                operation_parameters={"predicate": "id >= 20"})


def modes_overwrite(table):
    table.stage([table.write(people(300, 5), "last")], mode="overwrite")


def modes_extend(table):
    table.stage([table.write(people(400, 2))], extend=True)
    table.stage([table.write(people(500, 2))], extend=True)


def modes_empty(table):
    table.stage([], mode="overwrite")


# Text partition values: none, and all that need care in a path or a URI.

TEXTS = ["plain", "a b", " edge ", "a%b", "a%20b", "%2F", "a=b", "a/b", "a:b", "a+b", "a&b", "a{b}", "a#b?c", "a*[b]",
         "ü", "日本", "\U0001f418", "it's", '"q"', "back\\slash", "tab\there", "new\nline", "~", ".", "..", "^|<>;,$"]


def texts_all(table):
    table.stage([table.write(people(10 * i, 3), text, p=text) for i, text in enumerate(TEXTS)]
                + [table.write(people(1000, 3), "none", p=None)])


def texts_remove(table):
    table.stage([table.remove(text) for text in TEXTS[::2]] + [table.remove("none")])


def texts_overwrite_partitions(table):
    table.stage([table.write(people(2000 + 10 * i, 2), p=text) for i, text in enumerate(TEXTS[1::4])]
                + [table.write(people(3000, 2), p=None)], mode="overwrite_partitions")


def texts_overwrite_filtered(table):
    table.stage([table.write(people(4000, 1), p="a/b")], mode="overwrite",
                partition_filter={"p": ["a/b", "a=b", "tab\there"]})


# Partition values of other types.

KEYS = [
    column("day", "date", pa.date32()),
    column("hour", "int", pa.int32()),
    column("big", "bigint", pa.int64()),
    column("flag", "boolean", pa.bool_()),
    column("price", "decimal(6,2)", pa.decimal128(6, 2)),
    column("instant", "timestamp", pa.timestamp("us", "UTC")),
]
FULL = {"day": "2026-01-03", "hour": "7", "big": "-9007199254740993", "flag": "true", "price": "12.50",
        "instant": "2026-01-01T12:30:00.123456Z"}
OTHER = {"day": "1969-12-31", "hour": "-1", "big": "0", "flag": "false", "price": "-0.01",
         "instant": "1969-12-31T23:59:59.000000Z"}
NONE = dict.fromkeys(FULL)


def keys_append(table):
    table.stage([table.write(people(0, 3), "full", **FULL), table.write(people(10, 3), **OTHER),
                 table.write(people(20, 3), "none", **NONE)])


def keys_overwrite_filtered(table):
    table.stage([table.write(people(30, 1), **OTHER)], mode="overwrite",
                partition_filter={"day": {"lt": "2000-01-01"}})


def keys_overwrite_partitions(table):
    table.stage([table.write(people(40, 1), "none", **NONE), table.write(people(50, 1), "full", **FULL)],
                mode="overwrite_partitions")


def keys_remove(table):
    table.stage([table.remove("full"), table.remove("none")])


# A schema that grows, so that older files lack columns.

def grows_append(table):
    table.stage([table.write(people(0, 5), p="x")])


def grows_columns(table):
    table.add_columns([column("age", "int", pa.int32()), column("since", "timestamptz", pa.timestamp("us", "UTC"))])


def grows_columns_and_rows(table):
    table.add_columns([column("more", "struct<a:string,b:array<int>>",
                              pa.struct([("a", pa.string()), ("b", pa.list_(pa.int32()))]))])
    row = {"id": 100, "name": "new", "age": 7, "since": datetime.datetime(2026, 1, 1, tzinfo=UTC),
           "more": {"a": "a", "b": [1, None]}}
    table.stage([table.write([row], p="y")], extend=True)


def grows_again(table):
    table.stage([table.write([{"id": 101, "age": 8}], p="x")])


# A feature that readers must know: timestamps without a time zone.

ZONELESS = [ID, column("at", "timestamp_ntz", pa.timestamp("us"))]


def zoneless_append(table):
    table.stage([table.write([{"id": 1, "at": datetime.datetime(2026, 3, 29, 2, 30, 0, 1)}, {"id": 2}])])


# Application versions and domains.

def txn(version):
    return {"txn": {"appId": "loader", "version": version, "lastUpdated": 1790000000000}}


def domain(name, configuration="", removed=False):
    return {"domainMetadata": {"domain": name, "configuration": configuration, "removed": removed}}


QUALITY = '{"score": "zwölf"}'


def tracked_first(table):
    table.stage([table.write(people(0, 2)), txn(7), domain("shop.quality", "{}"), domain("shop.draft", "{}")])


def tracked_next(table):
    table.stage([table.write(people(10, 2)), txn(8), domain("shop.quality", QUALITY)])


def tracked_end(table):
    table.stage([txn(9), domain("shop.draft", removed=True)])


STORIES = [
    Story("types", TYPES, [types_append, types_remove, types_overwrite]),
    Story("modes", [ID, NAME],
          [modes_append, modes_blind, modes_remove, modes_replace, modes_overwrite, modes_extend, modes_empty]),
    Story("texts", [ID, NAME, column("p", "string", pa.string())],
          [texts_all, texts_remove, texts_overwrite_partitions, texts_overwrite_filtered], ["p"]),
    Story("keys", [ID, *KEYS, NAME],
          [keys_append, keys_overwrite_filtered, keys_overwrite_partitions, keys_remove],
          [key.field.name for key in KEYS]),
    Story("grows", [ID, NAME, column("p", "string", pa.string())],
          [grows_append, grows_columns, grows_columns_and_rows, grows_again], ["p"]),
    Story("zoneless", ZONELESS, [zoneless_append]),
    Story("tracked", [ID, NAME], [tracked_first, tracked_next, tracked_end]),
]
