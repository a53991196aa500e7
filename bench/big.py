"""A table of a million live files and ten thousand versions: commits, and listing its files."""

import subprocess

from files import Source
import report
from report import Series, milliseconds
from server import BINDIR, Server, unlimited


def run(quick):
    versions, files, rounds, commits = (100, 100, 3, 20) if quick else (10000, 100, 9, 200)
    with Server("big") as server:
        server.create_tables("t", 2)
        fill(server, versions, files)
        with server.connect(autocommit=True) as connection:
            one_file = Series()
            one_file.rounds(rounds, {
                "empty": lambda number: commit_one_by_one(connection, "t1", commits),
                "big": lambda number: commit_one_by_one(connection, "t2", commits),
            })
        server.execute("CREATE TABLE same_rows AS SELECT path, size FROM deltatx_files('t2')")
        server.execute("VACUUM ANALYZE same_rows")
        listing = Series()
        listing.rounds(rounds, {
            "COPY": lambda number: listed(server, "COPY same_rows (path, size) TO STDOUT"),
            "COPY deltatx": lambda number: listed(
                server, "COPY (SELECT path, size FROM deltatx_files('t2')) TO STDOUT"),
            "SELECT": lambda number: selected(server, "SELECT path, size FROM same_rows"),
            "SELECT deltatx": lambda number: selected(server, "SELECT path, size FROM deltatx_files('t2')"),
        })
    describe(versions, files, one_file, listing)


def fill(server, versions, files):
    """Versions of as many files each.  Nothing of this is measured, so it needn't be durable."""
    with server.connect(autocommit=True) as connection, unlimited(connection):
        source = Source(connection)
        connection.execute("SET synchronous_commit = off")
        for _ in range(0, versions, 100):
            source.fill(100, files)
            for document in source.ndjson():
                with connection.transaction():
                    connection.execute("SELECT deltatx_begin()", prepare=True)
                    connection.execute("SELECT deltatx_stage('t2', %s::text)", (document,), prepare=True)
                    connection.execute("SELECT * FROM deltatx_commit()", prepare=True)
    server.execute("VACUUM ANALYZE")
    server.execute("CHECKPOINT")


def commit_one_by_one(connection, table_name, commits):
    """Milliseconds a commit."""
    def all_of_them():
        for _ in range(commits):
            connection.execute("BEGIN")
            connection.execute("SELECT deltatx_begin()", prepare=True)
            connection.execute(
                "SELECT deltatx_stage(%s, '{\"add\":{\"path\":\"' || gen_random_uuid() || '\",\"partitionValues\":{},"
                "\"size\":1000,\"modificationTime\":1700000000000,\"dataChange\":true}}')", (table_name,), prepare=True)
            connection.execute("SELECT * FROM deltatx_commit()", prepare=True)
            connection.execute("COMMIT")

    return milliseconds(all_of_them) / commits


def listed(server, statement):
    return milliseconds(lambda: subprocess.run(
        [f"{BINDIR}/psql", "-X", "-q", server.conninfo(), "-c", statement], check=True, stdout=subprocess.DEVNULL))


def selected(server, statement):
    with server.connect(autocommit=True) as connection:
        return milliseconds(connection.execute, statement)


def describe(versions, files, one_file, listing):
    report.table(
        f"A commit of one file: milliseconds, into a table of {versions * files:,} live files and {versions:,} versions",
        ["empty table", "big table", "ratio"],
        [[one_file.cell("empty", 3), one_file.cell("big", 3), one_file.ratio("big", "empty")]],
    )
    report.table(
        f"Path and size of {versions * files:,} live files: milliseconds",
        ["", "a plain table of these rows", "deltatx_files()", "ratio to COPY of the plain table"],
        [[f"{how}", listing.cell(how), listing.cell(f"{how} deltatx"), listing.ratio(f"{how} deltatx", "COPY")]
         for how in ("COPY", "SELECT")],
    )
