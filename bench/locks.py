"""How long a commit holds the locks of its tables, by the number of files that it adds."""

from files import Source
import report
from report import Series, cell, milliseconds
from server import Server, unlimited


def run(quick):
    sizes, rounds = ((1, 1000, 10000), 3) if quick else ((1, 1000, 10000, 100000), 7)
    with Server("locks") as server:
        server.create_tables("t", 1)
        with server.connect(autocommit=True) as connection, unlimited(connection):
            source = Source(connection)
            held = Series()
            committed = {}
            held.rounds(rounds + 1, {
                size: lambda number, size=size: append(connection, source, size, committed) for size in sizes})
    report.table(
        "Milliseconds from the first lock to the last, by files added",
        ["files", "deltatx_commit()", "deltatx_commit() and COMMIT"],
        [[f"{size:,}", cell(committed[size][1:], 2), cell(held.values[size][1:], 2)]
         for size in sizes],
    )


def append(connection, source, size, committed):
    """The locks are taken in deltatx_commit() and released by COMMIT."""
    source.fill(1, size)
    [document] = source.ndjson()
    connection.execute("BEGIN")
    connection.execute("SELECT deltatx_begin()", prepare=True)
    connection.execute("SELECT deltatx_stage('t1', %s::text)", (document,), prepare=True)
    commit = milliseconds(connection.execute, "SELECT * FROM deltatx_commit()")
    committed.setdefault(size, []).append(commit)
    return commit + milliseconds(connection.execute, "COMMIT")
