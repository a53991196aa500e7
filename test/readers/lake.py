"""A client of deltatx: writes Parquet files into a table's directory with
pyarrow, describes them as Delta actions, and commits them through SQL.
"""

import datetime
import decimal
import json
import os
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq

EPOCH_MS = datetime.timedelta(milliseconds=1)


class Table:
    """A table: where it lies, what its rows look like, which files it has."""

    def __init__(self, connection, root, name, columns, partition_columns=(), properties=None):
        self.connection = connection
        self.name = name
        self.directory = os.path.join(root, name)
        self.partition_columns = list(partition_columns)
        self.schema = pa.schema([column.field for column in columns])
        self.files = {}
        connection.execute(
            "SELECT deltatx_create_table(%s, %s, %s, %s, %s)",
            [name, "file://" + self.directory, ", ".join(column.sql for column in columns),
             self.partition_columns, json.dumps(properties or {})])

    def add_columns(self, columns):
        """Add columns, as a part of the open transaction."""
        self.connection.execute(
            "SELECT deltatx_alter_table(%s, add_columns => %s)",
            [self.name, ", ".join(column.sql for column in columns)])
        for column in columns:
            self.schema = self.schema.append(column.field)

    def write(self, rows, label=None, **partition):
        """Write rows as one data file; returns its add action.

        rows are dictionaries without the partition columns; partition holds
        the values of those as text.  label remembers the action for later.
        """
        path = self.connection.execute(
            "SELECT deltatx_new_path(%s, %s)", [self.name, json.dumps(partition)]).fetchone()[0]
        file = os.path.join(self.directory, urllib.parse.unquote(path))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        schema = pa.schema([field for field in self.schema if field.name not in self.partition_columns])
        data = pa.Table.from_pylist(rows, schema)
        pq.write_table(data, file, coerce_timestamps="us")
        status = os.stat(file)
        add = {"path": path, "partitionValues": partition, "size": status.st_size,
               "modificationTime": int(status.st_mtime * 1000), "dataChange": True,
               "stats": json.dumps(statistics(data))}
        if label:
            self.files[label] = add
        return {"add": add}

    def remove(self, label):
        """The action that removes a file written under that label."""
        return {"remove": {"path": self.files.pop(label)["path"], "dataChange": True}}

    def stage(self, actions, **options):
        """Stage actions in the open transaction."""
        names = "".join(f", {name} => %({name})s" for name in options)
        values = {name: json.dumps(value) if isinstance(value, dict) else value
                  for name, value in options.items()}
        self.connection.execute(
            f"SELECT deltatx_stage(%(table)s, %(actions)s::jsonb{names})",
            {"table": self.name, "actions": json.dumps(actions), **values})


def statistics(data):
    """Delta's statistics of a file: record count, bounds and null counts."""
    stats = {"numRecords": data.num_rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
    for field in data.schema:
        column = data.column(field.name)
        if pa.types.is_nested(field.type):
            continue
        stats["nullCount"][field.name] = column.null_count
        values = [value for value in column.to_pylist() if value is not None]
        if values and has_bounds(field.type, values):
            stats["minValues"][field.name] = bound(min(values))
            stats["maxValues"][field.name] = bound(max(values), up=True)
    return stats


def has_bounds(kind, values):
    if pa.types.is_floating(kind):
        return all(abs(value) < float("inf") for value in values)
    return not (pa.types.is_binary(kind) or pa.types.is_boolean(kind))


def bound(value, up=False):
    """A bound as JSON.  Those of timestamps are milliseconds, rounded outwards."""
    if isinstance(value, datetime.datetime):
        rest = datetime.timedelta(microseconds=value.microsecond % 1000)
        value = value - rest + (EPOCH_MS if up and rest else datetime.timedelta())
        text = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return text + ("Z" if value.tzinfo else "")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value
