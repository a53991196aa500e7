"""docs/recipes/deltatx_recipe.py, against a server and real conflicts."""

import threading

import psycopg
import pytest

from deltatx_recipe import add_action, condition, run, transaction


def add(path):
    return {"add": {"path": path, "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": True}}


def live(connection, table):
    return {path for path, in connection.execute("SELECT path FROM deltatx_files(%s)", [table])}


def version(connection, table):
    [(version,)] = connection.execute("SELECT deltatx_version(%s)", [table])
    return version


class Work:
    """What run() calls: a function of the transaction and the number of the attempt, which counts its calls."""

    def __init__(self, work):
        self.work = work
        self.calls = 0

    def __call__(self, delta):
        self.calls += 1
        self.work(delta, self.calls)


@pytest.fixture
def rows(connection):
    """An ordinary table with two rows."""
    connection.execute("CREATE TABLE ordinary (id int PRIMARY KEY, n int)")
    connection.execute("INSERT INTO ordinary VALUES (1, 0), (2, 0)")
    yield lambda: [n for n, in connection.execute("SELECT n FROM ordinary ORDER BY id")]
    connection.execute("DROP TABLE ordinary")


def test_commits_tables_and_rows_together(connection, table, rows):
    with transaction(connection, operation="LOAD") as delta:
        delta.stage(table, [add("a"), add("b")], mode="append")
        connection.execute("UPDATE ordinary SET n = 1")
        assert delta.versions is None
    [(name, number, added, removed, _, replayed)] = delta.versions
    assert (name, number, added, removed, replayed) == (table, 1, 2, 0, False)
    assert live(connection, table) == {"a", "b"}
    assert rows() == [1, 1]
    [(operation, by)] = connection.execute(
        "SELECT operation, transaction_id FROM deltatx_history(%s, 1)", [table])
    assert (operation, by) == ("LOAD", delta.id)


def test_failure_leaves_nothing(connection, table, rows):
    with pytest.raises(ZeroDivisionError), transaction(connection) as delta:
        delta.stage(table, [add("a")])
        connection.execute("UPDATE ordinary SET n = 1")
        1 / 0
    assert (version(connection, table), live(connection, table), rows()) == (0, set(), [0, 0])
    with transaction(connection) as delta:
        delta.stage(table, [add("a")])
    assert version(connection, table) == 1


def test_arguments_of_stage(connection, table):
    with transaction(connection) as delta:
        delta.stage(table, [add("a")], extend=True, operation_parameters={"batch": 7})
        delta.stage(table, [add("b")], extend=True)
    [(parameters,)] = connection.execute("SELECT operation_parameters FROM deltatx_history(%s, 1)", [table])
    assert parameters == {"batch": "7"}


def test_conflict_is_tried_again(connection, connect, table):
    """The other one commits between our read and our commit, the first time."""
    other = connect()

    def work(delta, attempt):
        seen = delta.read(table)
        if attempt == 1:
            run(other, lambda theirs: theirs.stage(table, [add("theirs")]))
        delta.stage(table, [add(f"ours-after-{seen}")])

    work = Work(work)
    [row] = run(connection, work, backoff=0.001)
    assert work.calls == 2
    assert row[1] == 2
    assert live(connection, table) == {"theirs", "ours-after-1"}


def test_gives_up(connection, connect, table):
    other = connect()

    def work(delta, attempt):
        delta.read(table)
        run(other, lambda theirs: theirs.stage(table, [add(f"theirs-{attempt}")]))
        delta.stage(table, [add("ours")])

    work = Work(work)
    with pytest.raises(psycopg.errors.SerializationFailure) as caught:
        run(connection, work, max_attempts=3, backoff=0.001)
    assert work.calls == 3
    assert caught.value.__notes__ == ["given up after 3 attempts"]
    assert condition(caught.value) == "VersionMismatch"
    assert caught.value.diag.table_name == table
    assert caught.value.diag.message_detail == "expected=2 actual=3 winner=3"
    assert caught.value.diag.message_hint in str(caught.value)


def test_lock_timeout_is_tried_again(connection, connect, table):
    """The other one holds the table's commit lock until we have failed once."""
    holder = connect()
    holder.execute("BEGIN")
    holder.execute("SELECT deltatx_commit_batch(%s)", [f'{{"{table}": [{{"txn": {{"appId": "a", "version": 1}}}}]}}'])
    connection.execute("SET deltatx.lock_timeout = '50ms'")

    def work(delta, attempt):
        if attempt == 2:
            holder.execute("COMMIT")
        delta.stage(table, [add("ours")])

    work = Work(work)
    run(connection, work, backoff=0.001)
    assert work.calls == 2
    assert version(connection, table) == 2


def test_deadlock_is_tried_again(connection, connect, table, rows):
    """Over ordinary rows, in opposite order; deadlock_timeout makes us the victim."""
    other, watcher = connect(), connect()
    other.execute("SET deadlock_timeout = '10min'")
    connection.execute("SET deadlock_timeout = '10ms'")
    other.execute("BEGIN")
    other.execute("UPDATE ordinary SET n = n + 1 WHERE id = 1")

    def finish():
        other.execute("UPDATE ordinary SET n = n + 1 WHERE id = 2")
        other.execute("COMMIT")

    finisher = threading.Thread(target=finish)

    def work(delta, attempt):
        delta.connection.execute("UPDATE ordinary SET n = n + 10 WHERE id = 2")
        if attempt == 1:
            finisher.start()
            wait_until_blocked(watcher, other.info.backend_pid)
        delta.connection.execute("UPDATE ordinary SET n = n + 10 WHERE id = 1")
        delta.stage(table, [add("ours")])

    work = Work(work)
    run(connection, work, backoff=0.001)
    finisher.join()
    assert work.calls == 2
    assert rows() == [11, 11]
    assert version(connection, table) == 1


def wait_until_blocked(watcher, pid):
    while not watcher.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()[0]:
        pass


def test_other_errors_are_not_tried_again(connection, table):
    work = Work(lambda delta, attempt: delta.stage(table, [add("a"), add("a")]))
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        run(connection, work)
    assert work.calls == 1
    assert condition(caught.value) == "DuplicateFile"


def test_same_key_does_the_work_once(connection, connect, table, rows):
    """As a job that lost the answer to its COMMIT, and runs again on a new connection."""
    def work(delta):
        if not delta.replayed:
            delta.connection.execute("UPDATE ordinary SET n = n + 1")
        delta.stage(table, [add("a")])

    [first] = run(connection, work, idempotency_key="the job")
    [second] = run(connect(), work, idempotency_key="the job")
    assert first[:5] == second[:5]
    assert (first[5], second[5]) == (False, True)
    assert (version(connection, table), rows()) == (1, [1, 1])


def test_same_key_with_other_content_is_refused(connection, table):
    run(connection, lambda delta: delta.stage(table, [add("a")]), idempotency_key="one")
    work = Work(lambda delta, attempt: delta.stage(table, [add("b")]))
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        run(connection, work, idempotency_key="one")
    assert (condition(caught.value), work.calls) == ("KeyReused", 1)


def test_concurrent_holder_of_a_key_is_waited_for(connection, connect, table):
    """Ours waits in begin for theirs, which commits, and replays it."""
    other, watcher = connect(), connect()
    results = []
    pid = connection.info.backend_pid

    def ours():
        results.extend(run(connection, lambda delta: delta.stage(table, [add("a")]), idempotency_key="shared"))

    waiting = threading.Thread(target=ours)
    with transaction(other, idempotency_key="shared") as delta:
        waiting.start()
        wait_until_blocked(watcher, pid)
        delta.stage(table, [add("a")])
    waiting.join()
    assert [row[5] for row in results] == [True]
    assert version(watcher, table) == 1


def test_connection_in_a_transaction_is_refused(connect, table):
    connection = connect(autocommit=False)
    connection.execute("SELECT 1")
    with pytest.raises(RuntimeError, match="in a transaction already"):
        run(connection, lambda delta: delta.stage(table, [add("a")]))
    connection.commit()
    run(connection, lambda delta: delta.stage(table, [add("a")]))
    assert version(connect(), table) == 1


def test_begin_in_autocommit_is_told_what_to_do(connection):
    with pytest.raises(psycopg.errors.ActiveSqlTransaction) as caught:
        connection.execute("SELECT deltatx_begin()")
    assert condition(caught.value) == "NotFinished"
    assert "without BEGIN" in caught.value.diag.message_hint


def test_add_action_describes_a_file(lake):
    directory = lake / "described"
    (directory / "day=2026-11-01").mkdir(parents=True)
    (directory / "day=2026-11-01" / "a b").write_bytes(b"12345")
    action = add_action(directory, "day=2026-11-01/a%20b", {"day": "2026-11-01"}, {"numRecords": 5})["add"]
    assert action.pop("modificationTime") > 1_700_000_000_000
    assert action == {"path": "day=2026-11-01/a%20b", "partitionValues": {"day": "2026-11-01"}, "size": 5,
                      "dataChange": True, "stats": '{"numRecords": 5}'}
