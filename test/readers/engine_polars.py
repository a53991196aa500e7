"""Polars."""

import polars
from deltalake import DeltaTable


def read(directory, version=None):
    return polars.read_delta(directory, version=version).to_arrow()


def read_where(directory, version, condition):
    return polars.scan_delta(directory, version=version).filter(polars.sql_expr(condition)).collect().to_arrow()


def version(directory):
    """Polars finds the newest version as delta-rs does."""
    return DeltaTable(directory).version()


def writes(directory, rows):
    frame = polars.from_arrow(rows)
    return {
        "append": lambda: frame.write_delta(directory, mode="append"),
        "overwrite": lambda: frame.write_delta(directory, mode="overwrite"),
        "merge": lambda: frame.write_delta(
            directory, mode="merge",
            delta_merge_options={"predicate": "t.id = s.id", "source_alias": "s", "target_alias": "t"})
        .when_not_matched_insert_all().execute(),
    }
