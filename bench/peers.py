"""What else commits to many tables: DuckLake with its catalog in PostgreSQL, and delta-rs.

DuckLake runs at its default, which keeps small inserts in the catalog, and so
writes no data file: the least that it can do for two tables.  delta-rs has no
transaction over tables; it commits to one after the other.  Its commits are
not flushed to disk.

Each client is a process of its own: this file run as a program.
"""

import glob
import importlib.util
import os
import random
import subprocess
import sys
import time
import uuid


class DuckLake:
    def __init__(self, server, tables):
        server.execute("CREATE DATABASE ducklake")
        self.arguments = [server.conninfo("ducklake"), f"{server.directory}/ducklake"]
        os.mkdir(self.arguments[1])
        connection = connect_ducklake(*self.arguments)
        for n in range(1, tables + 1):
            connection.execute(f"CREATE TABLE lake.t{n} (id BIGINT)")
        connection.close()

    def rate(self, clients, tables, seconds):
        return run_clients("ducklake", self.arguments, clients, tables, seconds)


class DeltaRs:
    def __init__(self, directory, tables):
        import deltalake

        self.arguments = [directory]
        for n in range(1, tables + 1):
            os.makedirs(f"{directory}/t{n}")
            deltalake.DeltaTable.create(f"{directory}/t{n}", deltalake.Schema([deltalake.Field("id", "long")]))

    def rate(self, clients, tables, seconds):
        return run_clients("delta-rs", self.arguments, clients, tables, seconds)


def run_clients(peer, arguments, clients, tables, seconds):
    """Transactions a second of all clients, and how many failed."""
    processes = [
        subprocess.Popen([sys.executable, __file__, peer, str(tables), str(seconds), *arguments],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(clients)
    ]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate()[0].split() for process in processes]
    return sum(float(rate) for rate, _ in results), sum(int(failed) for _, failed in results)


def connect_ducklake(conninfo, data_path):
    import duckdb

    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 1,
                                        "autoinstall_known_extensions": "false"})
    for package in ("postgres_scanner", "ducklake"):
        [directory] = importlib.util.find_spec(f"duckdb_extension_{package}").submodule_search_locations
        [extension] = glob.glob(f"{directory}/**/*.duckdb_extension", recursive=True)
        connection.execute(f"LOAD '{extension}'")
    connection.execute(f"ATTACH 'ducklake:postgres:{conninfo}' AS lake (DATA_PATH '{data_path}')")
    return connection


def ducklake_client(conninfo, data_path):
    connection = connect_ducklake(conninfo, data_path)

    def commit(pair):
        try:
            connection.execute("BEGIN")
            for n in pair:
                connection.execute(f"INSERT INTO lake.t{n} VALUES (1)")
            connection.execute("COMMIT")
        except Exception:
            try:
                connection.execute("ROLLBACK")
            except Exception:
                pass
            raise

    return commit


def delta_rs_client(directory):
    import deltalake
    from deltalake.transaction import AddAction

    tables = {}

    def commit(pair):
        for n in pair:
            if n not in tables:
                tables[n] = deltalake.DeltaTable(f"{directory}/t{n}")
            add = AddAction(f"part-{uuid.uuid4()}.parquet", 1000, {}, 1700000000000, True, '{"numRecords":10}')
            tables[n].create_write_transaction([add], "append", tables[n].schema())

    return commit


def client(peer, tables, seconds, *arguments):
    commit = {"ducklake": ducklake_client, "delta-rs": delta_rs_client}[peer](*arguments)
    print("ready", flush=True)
    sys.stdin.readline()

    done = failed = 0
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        first = random.randint(1, tables - 1)
        try:
            commit((first, random.randint(first + 1, tables)))
            done += 1
        except Exception as error:
            failed += 1
            print(error, file=sys.stderr)
    print(done / (time.monotonic() - start), failed)


if __name__ == "__main__":
    client(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
