"""Two tables, one file each, in one transaction: clients against the same writes as plain SQL, and against peers."""

import peers
import report
from report import Series
from server import Server

CLIENTS = (1, 4, 16)
TABLES = (2, 100)


def run(quick):
    seconds, rounds = (1, 1) if quick else (5, 3)
    failures = {}
    with Server("plain") as plain, Server("mirrored", mirror=True) as mirrored:
        for server in (plain, mirrored):
            server.create_tables("t", max(TABLES))
        plain.copy_to_twin()
        lake = peers.DuckLake(plain, max(TABLES))
        logs = peers.DeltaRs(f"{plain.directory}/delta-rs", max(TABLES))

        rows = []
        for tables in TABLES:
            for clients in CLIENTS:
                series = measure(plain, mirrored, lake, logs, clients, tables, seconds, rounds, failures)
                rows.append(describe(series, clients, tables))

    report.table(
        "Two tables × one file per transaction: transactions a second",
        ["tables", "clients", "plain SQL", "deltatx", "ratio to plain SQL", "deltatx, publishing", "DuckLake",
         "delta-rs", "times DuckLake", "times delta-rs"],
        rows,
    )
    report.text("Failed: " + ", ".join(f"{name} {count}" for name, count in failures.items()) + ".")


def measure(plain, mirrored, lake, logs, clients, tables, seconds, rounds, failures):
    def counted(name, measure, *args, **variables):
        def once(number):
            rate, failed = measure(*args, **variables)
            failures[name] = failures.get(name, 0) + failed
            return rate
        return once

    series = Series()
    series.rounds(rounds, {
        "plain SQL": counted("plain SQL", plain.pgbench, "append.twin", clients, seconds, tables=tables),
        "deltatx": counted("deltatx", plain.pgbench, "append.deltatx", clients, seconds, tables=tables),
        "publishing": counted("deltatx, publishing", mirrored.pgbench, "append.deltatx", clients, seconds,
                              tables=tables),
        "DuckLake": counted("DuckLake", lake.rate, clients, tables, seconds),
        "delta-rs": counted("delta-rs", logs.rate, clients, tables, seconds),
    })
    return series


def describe(series, clients, tables):
    return [
        "2, hot" if tables == 2 else str(tables), str(clients),
        series.cell("plain SQL"), series.cell("deltatx"), series.ratio("deltatx", "plain SQL"),
        series.cell("publishing"), series.cell("DuckLake"), series.cell("delta-rs"),
        series.ratio("publishing", "DuckLake", 0), series.ratio("publishing", "delta-rs", 0),
    ]
