"""Private servers that are as durable as PostgreSQL is by default."""

import contextlib
import os
import re
import subprocess

import psycopg

WORK = os.environ["WORK"]
BINDIR = os.environ["PG_BINDIR"]
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sql")

# Big enough that no checkpoint falls into a round; the rest is the default,
# fsync and synchronous_commit included.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
max_connections = 200
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 1h
deltatx.mirror_enabled = {mirror}
"""


class Server:
    """Gone when the with block ends."""

    def __init__(self, name, mirror=False):
        self.directory = os.path.join(WORK, name)
        self.mirror = mirror

    def __enter__(self):
        os.mkdir(self.directory)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "-D", self._data())
        with open(f"{self._data()}/postgresql.conf", "a") as conf, open(f"{WORK}/server.conf") as common:
            conf.write(common.read())
            conf.write(SETTINGS.format(directory=self.directory, mirror="on" if self.mirror else "off"))
        self._run("pg_ctl", "-s", "-w", "-D", self._data(), "-l", f"{self.directory}/server.log", "start")
        self.execute("CREATE EXTENSION deltatx")
        return self

    def __exit__(self, *error):
        self._run("pg_ctl", "-s", "-m", "immediate", "-D", self._data(), "stop")

    def _data(self):
        return f"{self.directory}/data"

    def _run(self, program, *args, **options):
        return subprocess.run([f"{BINDIR}/{program}", *args], check=True, stdout=subprocess.PIPE, text=True, **options)

    def connect(self, **options):
        return psycopg.connect(self.conninfo(), **options)

    def conninfo(self, database="postgres"):
        return f"host={self.directory} user=postgres dbname={database}"

    def execute(self, statement, *args):
        """In a transaction of its own; VACUUM and the like work."""
        with self.connect(autocommit=True) as connection:
            cursor = connection.execute(statement, *args)
            return cursor.fetchall() if cursor.description else None

    def script(self, name):
        with open(f"{SQL}/{name}.sql") as file:
            self.execute(file.read())

    def create_tables(self, prefix, count):
        """Tables prefix1, prefix2, ..."""
        self.execute(
            "SELECT deltatx_create_table(%s || n, 'file://' || %s || '/lake/' || %s || n, 'id bigint')"
            " FROM generate_series(1, %s) n",
            (prefix, self.directory, prefix, count),
        )

    def copy_to_twin(self):
        """The twin's tables, with the Delta tables that there are by now."""
        self.script("twin")
        self.execute("INSERT INTO twin.dl_tables SELECT * FROM deltatx.dl_tables")
        self.execute("INSERT INTO twin.dl_table_heads SELECT * FROM deltatx.dl_table_heads")

    def pgbench(self, script, clients, seconds, **variables):
        """Transactions a second, and how many clients gave up."""
        defines = [f"--define={name}={value}" for name, value in variables.items()]
        result = subprocess.run(
            [f"{BINDIR}/pgbench", "-h", self.directory, "-U", "postgres", "-n", "-M", "prepared", "-f",
             f"{SQL}/{script}.sql", "-c", str(clients), "-j", "2" if clients > 1 else "1", "-T", str(seconds),
             *defines, "postgres"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        found = re.search(r"^tps = ([0-9.]+)", result.stdout, re.MULTILINE)
        if not found:
            raise RuntimeError(result.stderr)
        failures = result.stderr.count("aborted in command")
        if failures:
            print(result.stderr)
        return float(found.group(1)), failures


@contextlib.contextmanager
def unlimited(connection):
    """The limits of a transaction's size lifted."""
    for limit in ("max_tables_per_transaction", "max_files_per_table", "max_actions_per_transaction",
                  "transaction_timeout"):
        connection.execute(f"SET deltatx.{limit} = 0")
    yield connection
