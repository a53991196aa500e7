"""Write a query's rows as a Parquet file with DuckDB, and print the Delta
action that adds it: files.py DIRECTORY PATH QUERY
"""

import json
import os
import sys
import urllib.parse

import duckdb

directory, path, query = sys.argv[1:]
file = os.path.join(directory, urllib.parse.unquote(path))
os.makedirs(os.path.dirname(file), exist_ok=True)
connection = duckdb.connect()
[(records,)] = connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)").fetchall()
status = os.stat(file)
print(json.dumps([{"add": {"path": path, "partitionValues": {}, "size": status.st_size,
                           "modificationTime": int(status.st_mtime * 1000), "dataChange": True,
                           "stats": json.dumps({"numRecords": records})}}]))
