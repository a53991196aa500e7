"""delta-rs, by its own query engine."""

import datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def read(directory, version=None):
    return query(DeltaTable(directory, version=version))


def read_where(directory, version, condition):
    return query(DeltaTable(directory, version=version), condition)


def query(table, condition="true"):
    statement = f"SELECT * FROM t WHERE {condition}"
    return pa.table(QueryBuilder().register("t", table).execute(statement).read_all())


def read_as_of(directory, time):
    table = DeltaTable(directory)
    table.load_as_version(time)
    return query(table)


def version(directory):
    return DeltaTable(directory).version()


def nullability(directory, version):
    return {field.name: field.nullable for field in DeltaTable(directory, version=version).schema().fields}


def history(directory):
    """The table's versions, newest first."""
    return [(entry["version"], EPOCH + datetime.timedelta(milliseconds=entry["timestamp"]), entry["operation"],
             entry["isBlindAppend"]) for entry in DeltaTable(directory).history()]


def app_version(directory, app_id):
    return DeltaTable(directory).transaction_version(app_id)


def writes(directory, rows):
    """Every way in which delta-rs writes."""
    def table():
        return DeltaTable(directory)

    return {
        "append": lambda: write_deltalake(directory, rows, mode="append"),
        "overwrite": lambda: write_deltalake(directory, rows, mode="overwrite"),
        "delete": lambda: table().delete("id = 1"),
        "update": lambda: table().update(updates={"name": "'x'"}),
        "merge": lambda: table().merge(rows, "target.id = source.id", source_alias="source", target_alias="target")
        .when_not_matched_insert_all().execute(),
        "compact": lambda: table().optimize.compact(),
        "restore": lambda: table().restore(1),
        "properties": lambda: table().alter.set_table_properties({"delta.appendOnly": "true"}),
        "vacuum": lambda: table().vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False),
        "transaction": lambda: table().create_write_transaction(
            [], mode="append", schema=table().schema(), commit_properties=CommitProperties()),
    }
