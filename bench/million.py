"""A million files staged in calls of ten thousand: memory and cost per file."""

import statistics

from files import Source, Twin
import report
from report import cell, milliseconds
from server import Server, unlimited

FILES = 10000


def run(quick):
    calls = 10 if quick else 100
    with Server("million") as server:
        server.create_tables("t", 2)
        server.copy_to_twin()
        with server.connect(autocommit=True) as ours, server.connect(autocommit=True) as plain, unlimited(ours):
            measure(ours, plain, calls)


def measure(ours, plain, calls):
    source = Source(plain)
    twin = Twin(plain)
    staged, inserted, memory = [], [], []

    source.fill(1, FILES)
    plain.execute("BEGIN")
    ours.execute("BEGIN")
    ours.execute("SELECT deltatx_begin()")
    _, [commit_id] = twin.begin(1)
    for call in range(calls):
        source.fill(1, FILES)
        [document] = source.ndjson()
        staged.append(milliseconds(
            ours.execute, "SELECT deltatx_stage('t1', %s::text, extend => true)", (document,)) * 1000 / FILES)
        inserted.append(milliseconds(twin.stage, "t2", commit_id, 1, call * FILES) * 1000 / FILES)
        memory.append(private_memory(ours.info.backend_pid))
    rolled_back = milliseconds(ours.execute, "SELECT deltatx_rollback()")
    ours.execute("COMMIT")
    plain.execute("ROLLBACK")
    describe(calls, staged, inserted, memory, rolled_back)


def private_memory(pid):
    """What the backend has for itself, in MB: resident memory without shared buffers."""
    with open(f"/proc/{pid}/status") as status:
        [line] = [line for line in status if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


def describe(calls, staged, inserted, memory, rolled_back):
    tenth = max(calls // 10, 1)
    report.table(
        f"{calls * FILES:,} files staged in calls of {FILES:,}",
        ["calls", "deltatx, µs a file", "INSERT … SELECT, µs a file", "backend's private memory, MB"],
        [[f"{first + 1}–{first + tenth}", cell(staged[first:first + tenth], 1), cell(inserted[first:first + tenth], 1),
          cell(memory[first:first + tenth], 1)]
         for first in range(0, calls, tenth)],
    )
    report.text(f"All calls: {statistics.median(staged) / statistics.median(inserted):.2f} times plain SQL."
                f" deltatx_rollback() of all: {rolled_back / 1000:.1f} s.")
