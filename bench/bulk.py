"""Ten tables, a thousand files each, in one transaction, against INSERT ... SELECT of the same rows."""

from files import Source, Twin
import report
from report import Series, milliseconds
from server import Server, unlimited

TABLES = 10


def run(quick):
    files, rounds = (100, 2) if quick else (1000, 9)
    with Server("bulk") as server:
        server.create_tables("t", TABLES)
        server.copy_to_twin()
        with server.connect(autocommit=True) as connection, unlimited(connection):
            source = Source(connection)
            series = Series()
            series.rounds(rounds + 1, {
                "plain": lambda number: append_plain(connection, source, files),
                "text": lambda number: append(connection, "text", filled(source, files).ndjson()),
                "jsonb": lambda number: append(connection, "jsonb", filled(source, files).arrays()),
                "parse text": lambda number: parse(connection, "json", filled(source, files).arrays()),
                "parse jsonb": lambda number: parse(connection, "jsonb", filled(source, files).arrays()),
            })
    for values in series.values.values():
        del values[0]  # plans are made and caches filled
    describe(series, files)


def filled(source, files):
    source.fill(TABLES, files)
    return source


def append_plain(connection, source, files):
    source.fill(TABLES, files)
    twin = Twin(connection)

    def transaction():
        connection.execute("BEGIN")
        transaction_id, commit_ids = twin.begin(TABLES)
        for n in range(TABLES):
            twin.stage(f"t{n + 1}", commit_ids[n], n + 1)
        twin.commit(transaction_id, list(range(1, TABLES + 1)), commit_ids)
        connection.execute("COMMIT")

    return milliseconds(transaction)


def append(connection, kind, documents):
    def transaction():
        connection.execute("BEGIN")
        connection.execute("SELECT deltatx_begin()", prepare=True)
        for n, document in enumerate(documents):
            connection.execute(f"SELECT deltatx_stage(%s, %s::{kind})", (f"t{n + 1}", document), prepare=True)
        connection.execute("SELECT * FROM deltatx_commit()", prepare=True)
        connection.execute("COMMIT")

    return milliseconds(transaction)


def parse(connection, kind, documents):
    """What PostgreSQL itself takes to read the documents, and nothing else."""
    def casts():
        for document in documents:
            connection.execute(f"SELECT %s::{kind} IS NULL", (document,), prepare=True)

    return milliseconds(casts)


def describe(series, files):
    def line(title, name):
        parsing = series.median(f"parse {name}")
        beyond = [(ours - parsing) / floor for ours, floor in zip(series.values[name], series.values["plain"])]
        series.values["beyond " + name] = beyond
        return [title, series.cell(name, 1), series.ratio(name, "plain"), series.cell(f"parse {name}", 1),
                series.cell("beyond " + name, 2)]

    report.table(
        f"{TABLES} tables × {files} files in one transaction: milliseconds",
        ["", "time", "ratio to plain SQL", "reading the JSON alone (a cast)", "ratio without that"],
        [["INSERT … SELECT", series.cell("plain", 1), "", "", ""],
         line("deltatx, text", "text"), line("deltatx, jsonb", "jsonb")],
    )
