"""Nobody but deltatx writes a table that deltatx owns: whatever an engine can
do to one is refused, and the log stays as it was.
"""

import os

import pyarrow as pa
import pytest

import lake as client
from publish import commit_round, wait
from stories import ID, NAME, people


@pytest.fixture(scope="session")
def fenced(connection):
    """A table with something to compact, to restore and to vacuum."""
    root = os.path.join(os.environ["WORK"], "fenced")
    os.makedirs(root, exist_ok=True)
    table = client.Table(connection, root, "fenced", [ID, NAME])
    for step in [lambda table: table.stage([table.write(people(0, 3), "gone")]),
                 lambda table: table.stage([table.write(people(0, 2)), table.write(people(10, 2)),
                                            table.remove("gone")])]:
        commit_round(connection, [(table, step)])
    wait(connection, "fenced")
    return table


def log_of(table):
    """The visible objects of the log; Spark leaves hidden checksums beside what it reads."""
    log = os.path.join(table.directory, "_delta_log")
    return {name: os.stat(os.path.join(log, name)).st_mtime_ns
            for name in os.listdir(log) if not name.startswith(".")}


@pytest.mark.parametrize("engine", ["deltars", "duckdb", "polars", "spark"], indirect=True)
def test_writers_are_refused(engine, fenced):
    before = log_of(fenced)
    rows = pa.Table.from_pylist(people(100, 1), fenced.schema)
    writes = engine.writes(fenced.directory, rows)
    refusals = {}
    for name, write in writes.items():
        try:
            write()
        except Exception as error:
            refusals[name] = str(error)
    assert list(refusals) == list(writes)
    assert [name for name, text in refusals.items() if "deltatxManaged" not in text] == []
    assert log_of(fenced) == before


def test_the_table_goes_on(connection, fenced):
    commit_round(connection, [(fenced, lambda table: table.stage([table.write(people(200, 1))]))])
    wait(connection, "fenced")
    state = connection.execute("SELECT state FROM deltatx.mirror WHERE table_name = 'fenced'").fetchone()[0]
    assert state == "idle"
