"""DuckDB with its delta extension.  The extension comes from PyPI, where it is
not signed as those of DuckDB's own repository are, and is loaded from there:
nothing is installed into a home directory.
"""

import glob
import importlib.util

import duckdb


def connect():
    [package] = importlib.util.find_spec("duckdb_extension_delta").submodule_search_locations
    [extension] = glob.glob(f"{package}/**/delta.duckdb_extension", recursive=True)
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read(directory, version=None):
    at = "" if version is None else f", version => {version}"
    return connect().execute(f"FROM delta_scan('{directory}'{at})").to_arrow_table()


def read_where(directory, version, condition):
    return connect().execute(
        f"FROM delta_scan('{directory}', version => {version}) WHERE {condition}").to_arrow_table()


def attach(directory):
    connection = connect()
    connection.execute(f"ATTACH '{directory}' AS target (TYPE delta)")
    return connection


def app_version(directory, app_id):
    return attach(directory).execute(f"FROM delta_get_transaction_version('target', '{app_id}')").fetchone()[0]


def domains(directory):
    return dict(connect().execute(f"FROM delta_domain_metadata('{directory}')").fetchall())


def writes(directory, rows):
    def insert():
        connection = attach(directory)
        connection.register("source", rows)
        connection.execute("INSERT INTO target SELECT * FROM source")

    return {"insert": insert}
