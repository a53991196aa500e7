"""deltatx transactions from psycopg 3, with retries.

    def load(delta):
        if not delta.replayed:
            delta.connection.execute("INSERT INTO load (batch) VALUES (17)")
        delta.stage("shop.orders", [add_action("/srv/lake/orders", path)], mode="append")

    versions = run(connection, load, idempotency_key="orders of 2026-11-21")

run() begins, calls the function, commits, and does all of it again, from the
beginning and after a pause, when another transaction was in the way.  So the
function reads what it decides by itself, and data files are written before.
transaction() is one such attempt, as a context manager.

Copy this file into your project; it needs Python 3.11 and psycopg 3.
"""

import contextlib
import json
import os
import random
import time
import urllib.parse

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

# Conflict, deadlock, lock timeout: the same work may succeed the next time.
RETRYABLE = {"40001", "40P01", "55P03"}


def run(connection, work, max_attempts=5, backoff=0.05, **options):
    """Calls work with an open transaction until it is committed; returns deltatx_commit's rows.

    options are the arguments of deltatx_begin.  The pause after a failure is
    backoff seconds at first and doubles, less a random part of it.
    """
    for attempt in range(1, max_attempts + 1):
        try:
            with transaction(connection, **options) as delta:
                work(delta)
            return delta.versions
        except psycopg.Error as error:
            if error.sqlstate not in RETRYABLE:
                raise
            if attempt == max_attempts:
                error.add_note(f"given up after {attempt} attempts")
                raise
        time.sleep(backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1))


@contextlib.contextmanager
def transaction(connection, **options):
    """Begins, commits when the body has ended well, and rolls back when it has failed."""
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise RuntimeError("the connection is in a transaction already, which this would become a part of: "
                           "commit that first, or connect with autocommit=True")
    with connection.transaction():
        delta = Transaction(connection, options)
        yield delta
        delta.versions = delta.call("deltatx_commit")


class Transaction:
    """An open deltatx transaction.

    replayed: its idempotency key, or app version, was committed before.
    versions: what deltatx_commit returned; None until then.
    """

    def __init__(self, connection, options):
        self.connection = connection
        self.versions = None
        [(self.id,)] = self.call("deltatx_begin", **options)
        [(self.replayed,)] = self.call("deltatx_replayed")

    def stage(self, table_name, actions, **options):
        """Stages a list of actions; options are the arguments of deltatx_stage."""
        lines = "\n".join(json.dumps(action) for action in actions)
        [(count,)] = self.call("deltatx_stage", table_name=table_name, actions=lines, **options)
        return count

    def read(self, table_name, version=None):
        """Declares that the outcome depends on a table; returns the version read."""
        [(version,)] = self.call("deltatx_read", table_name=table_name, version=version)
        return version

    def call(self, function, **arguments):
        """Calls an SQL function by its arguments' names; returns its rows."""
        pairs = sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments)
        values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in arguments.items()}
        query = sql.SQL("SELECT * FROM {}({})").format(sql.Identifier(function), pairs)
        return self.connection.execute(query, values).fetchall()


def add_action(directory, path, partition_values=None, stats=None):
    """The action that adds a data file; path is what deltatx_new_path returned, directory the table's."""
    status = os.stat(os.path.join(directory, urllib.parse.unquote(path)))
    add = {"path": path, "partitionValues": partition_values or {}, "size": status.st_size,
           "modificationTime": int(status.st_mtime * 1000), "dataChange": True}
    if stats is not None:
        add["stats"] = json.dumps(stats)
    return {"add": add}


def condition(error):
    """deltatx's name for what went wrong, such as VersionMismatch; None when it is not ours."""
    return error.diag.constraint_name
