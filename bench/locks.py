"""How long a commit holds the locks of its tables, by the number of files that it adds."""

import threading
import time

import report
from files import Source
from report import Series
from server import Server, unlimited


def run(quick):
    sizes, rounds = ((1, 1000, 10000), 3) if quick else ((1, 1000, 10000, 100000), 7)
    with Server("locks") as server:
        server.create_tables("t", 1)
        with server.connect(autocommit=True) as connection, unlimited(connection), Watch(server) as watch:
            source = Source(connection)
            held, whole = Series(), {}
            held.rounds(rounds + 1, {
                size: lambda number, size=size: append(connection, source, watch, size, whole) for size in sizes})
    report.table(
        "How long others cannot lock the table's head: milliseconds, by files added",
        ["files", "locked", "from deltatx_begin() to COMMIT"],
        [[f"{size:,}", report.cell(held.values[size][1:], 2), report.cell(whole[size][1:], 1)] for size in sizes],
    )


class Watch(threading.Thread):
    """Asks for the lock all the time, as a committer would, and notes when it is to be had."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.connection = server.connect(autocommit=True)
        self.free = []  # when it was
        self.ended = False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.ended = True
        self.join()

    def run(self):
        while not self.ended:
            asked = time.perf_counter()
            if self.connection.execute(
                    "SELECT FROM deltatx.dl_table_heads FOR NO KEY UPDATE SKIP LOCKED", prepare=True).rowcount == 1:
                self.free.append((asked, time.perf_counter()))
            time.sleep(0.0002)

    def longest_locked(self, since):
        """From when it was last to be had to when it was again, in milliseconds: a bit more than it was locked."""
        until = time.perf_counter()
        while not self.free or self.free[-1][0] < until:
            time.sleep(0.001)
        moments, self.free = self.free, []
        return max(after[0] - before[1] for before, after in zip(moments, moments[1:]) if after[0] > since) * 1000


def append(connection, source, watch, size, whole):
    source.fill(1, size)
    [document] = source.ndjson()
    begun = time.perf_counter()
    connection.execute("BEGIN")
    connection.execute("SELECT deltatx_begin()", prepare=True)
    connection.execute("SELECT deltatx_stage('t1', %s::text)", (document,), prepare=True)
    committing = time.perf_counter()
    connection.execute("SELECT * FROM deltatx_commit()", prepare=True)
    connection.execute("COMMIT")
    whole.setdefault(size, []).append((time.perf_counter() - begun) * 1000)
    return watch.longest_locked(committing)
