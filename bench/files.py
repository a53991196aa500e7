"""Files to add: the same ones as rows for plain SQL and as documents for deltatx."""

from server import SQL


class Source:
    """Documents of files; filled anew, its paths are new ones."""

    def __init__(self, connection):
        self.connection = connection
        with open(f"{SQL}/source.sql") as script:
            connection.execute(script.read())

    def fill(self, documents, files):
        self.connection.execute("SELECT fill_source(%s, %s)", (documents, files))

    def ndjson(self):
        return self._documents("\n")

    def arrays(self):
        return [f"[{document}]" for document in self._documents(",")]

    def _documents(self, separator):
        return [document for document, in self.connection.execute("SELECT documents(%s)", (separator,))]


class Twin:
    """The statements of a bulk append as plain SQL, one for each call of deltatx."""

    def __init__(self, connection):
        self.connection = connection
        with open(f"{SQL}/bulk.twin.stage.sql") as stage, open(f"{SQL}/bulk.twin.commit.sql") as commit:
            self.stage_sql, self.commit_sql = stage.read(), commit.read()

    def begin(self, tables):
        """An id, and a commit_id for each table."""
        return self.connection.execute(
            "SELECT gen_random_uuid(), array_agg(nextval('twin.dl_commit_id_seq')) FROM generate_series(1, %s)",
            (tables,), prepare=True).fetchone()

    def stage(self, table_name, commit_id, n, first_ord=0):
        self.connection.execute(self.stage_sql, {"commit_id": commit_id, "n": n, "table_name": table_name,
                                                 "first_ord": first_ord}, prepare=True)

    def commit(self, transaction_id, table_ids, commit_ids):
        self.connection.execute(self.commit_sql, {"id": transaction_id, "table_ids": table_ids,
                                                  "commit_ids": commit_ids}, prepare=True)
