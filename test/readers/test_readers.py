"""Every engine reads every version that was published, and sees what the
catalog says is in it.
"""

import datetime
import os

import pytest

from compare import comparable, live_rows, schema_names
from stories import QUALITY, STORIES

ALL_TABLES = [story.name for story in STORIES]
ENGINES = ["deltars", "duckdb", "polars", "spark", "pyarrow"]

# delta-rs 1.6.6 hands pyarrow "0.-1" for a partition value of -0.01.
PAIRS = [(engine, story) for engine in ENGINES for story in STORIES if (engine, story.name) != ("pyarrow", "keys")]


@pytest.mark.parametrize("engine, name, version",
                         [(engine, story.name, version) for engine, story in PAIRS for version in story.versions],
                         indirect=["engine"])
def test_version(engine, connection, lake, name, version):
    schema = lake[name].schemas[version]
    found = engine.read(lake[name].directory, version)
    assert schema_names(found.schema) == schema_names(schema)
    assert comparable(found.to_pylist(), schema) == live_rows(connection, name, version, schema)


@pytest.mark.parametrize("engine, name", [(engine, story.name) for engine, story in PAIRS], indirect=["engine"])
def test_newest(engine, connection, lake, name):
    newest = connection.execute("SELECT deltatx_version(%s)", [name]).fetchone()[0]
    assert newest == len(lake[name].schemas) - 1
    if hasattr(engine, "version"):
        assert engine.version(lake[name].directory) == newest
    schema = lake[name].schemas[newest]
    rows = engine.read(lake[name].directory).to_pylist()
    assert comparable(rows, schema) == live_rows(connection, name, newest, schema)
    with pytest.raises(Exception):
        engine.read(lake[name].directory, newest + 1)


@pytest.mark.parametrize("engine", ["deltars", "spark"], indirect=True)
@pytest.mark.parametrize("name", ["modes", "grows"])
def test_time_travel(engine, connection, lake, name):
    """At its commit timestamp a version is the newest, and until just before the next one's."""
    stamps = dict(connection.execute("SELECT version, commit_timestamp FROM deltatx_history(%s)", [name]))
    for version, stamp in stamps.items():
        schema = lake[name].schemas[version]
        expected = live_rows(connection, name, version, schema)
        times = [stamp]
        if version + 1 in stamps:
            times.append(stamps[version + 1] - datetime.timedelta(milliseconds=1))
        for time in times:
            rows = engine.read_as_of(lake[name].directory, time).to_pylist()
            assert comparable(rows, schema) == expected, f"version {version} at {time}"


@pytest.mark.parametrize("engine", ["deltars"], indirect=True)
@pytest.mark.parametrize("name", ALL_TABLES)
def test_schema(engine, lake, name):
    """Nullability too, which the other engines don't show."""
    for version, schema in enumerate(lake[name].schemas):
        assert engine.nullability(lake[name].directory, version) == {field.name: field.nullable for field in schema}


@pytest.mark.parametrize("engine", ["spark", "deltars"], indirect=True)
@pytest.mark.parametrize("name", ALL_TABLES)
def test_history(engine, connection, lake, name):
    expected = connection.execute(
        "SELECT version, commit_timestamp, operation, is_blind_append FROM deltatx_history(%s)", [name]).fetchall()
    assert engine.history(lake[name].directory) == sorted(expected, reverse=True)


@pytest.mark.parametrize("engine", ["deltars", "duckdb"], indirect=True)
def test_app_version(engine, connection, lake):
    assert engine.app_version(lake["tracked"].directory, "loader") == 9
    assert connection.execute("SELECT deltatx_app_version('tracked', 'loader')").fetchone()[0] == 9


@pytest.mark.parametrize("engine", ["duckdb"], indirect=True)
def test_domains(engine, lake):
    assert engine.domains(lake["tracked"].directory) == {"shop.quality": QUALITY}


@pytest.mark.parametrize("name", ALL_TABLES)
def test_log_files(connection, lake, name):
    """What lies in the log is what deltatx_log says, line by line, stamped with the commit's time."""
    stamps = dict(connection.execute("SELECT version, commit_timestamp FROM deltatx_history(%s)", [name]))
    for version, stamp in stamps.items():
        file = os.path.join(lake[name].directory, "_delta_log", f"{version:020d}.json")
        lines = connection.execute("SELECT deltatx_log(%s, %s)", [name, version]).fetchall()
        with open(file, encoding="utf-8") as published:
            assert published.read() == "".join(line + "\n" for line, in lines)
        assert os.stat(file).st_mtime_ns == round(stamp.timestamp() * 1000) * 1000000


@pytest.mark.parametrize("engine", ["deltars", "duckdb", "polars", "spark"], indirect=True)
def test_filter(engine, connection, lake):
    """Files are left out by partition values and by statistics, and only those that can be."""
    schema = lake["texts"].schemas[1]
    rows = live_rows(connection, "texts", 1, schema)
    for condition, wanted in [("p = 'a b'", lambda row: row[2] == "a b"), ("p IS NULL", lambda row: row[2] is None),
                              ("id >= 251", lambda row: row[0] >= 251), ("name IS NULL", lambda row: row[1] is None)]:
        found = engine.read_where(lake["texts"].directory, 1, condition).to_pylist()
        assert comparable(found, schema) == [row for row in rows if wanted(row)], condition
