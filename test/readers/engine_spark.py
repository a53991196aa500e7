"""Spark with Delta Lake: one session for the whole run, since to start it
takes longer than to read everything.
"""

import datetime
import functools
import glob
import os

from pyspark.sql import SparkSession


@functools.cache
def session():
    home = os.environ["HOME"]
    settings = {
        "spark.jars": ",".join(glob.glob(os.environ["SPARK_JARS"] + "/*.jar")),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": f"{home}/warehouse",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def load(directory, **options):
    return session().read.format("delta").options(**options).load(directory)


def read(directory, version=None):
    options = {} if version is None else {"versionAsOf": version}
    return load(directory, **options).toArrow()


def read_where(directory, version, condition):
    return load(directory, versionAsOf=version).where(condition).toArrow()


def read_as_of(directory, time):
    return load(directory, timestampAsOf=time.strftime("%Y-%m-%d %H:%M:%S.%f")).toArrow()


def history(directory):
    """The table's versions, newest first."""
    rows = session().sql(f"DESCRIBE HISTORY delta.`{directory}`").collect()
    return [(row.version, row.timestamp.astimezone(datetime.timezone.utc), row.operation, row.isBlindAppend)
            for row in rows]


def version(directory):
    return history(directory)[0][0]


def writes(directory, rows):
    """Statements of every kind that writes, and the writers of DataFrames."""
    target = f"delta.`{directory}`"
    spark = session()
    frame = spark.createDataFrame(rows.to_pylist(), spark.read.format("delta").load(directory).schema)
    frame.createOrReplaceTempView("source")

    def sql(statement):
        return lambda: spark.sql(statement).collect()

    return {
        "append": lambda: frame.write.format("delta").mode("append").save(directory),
        "overwrite": lambda: frame.write.format("delta").mode("overwrite").save(directory),
        "overwrite schema": lambda: frame.selectExpr("id AS other").write.format("delta").mode("overwrite")
        .option("overwriteSchema", "true").save(directory),
        "insert": sql(f"INSERT INTO {target} SELECT * FROM source"),
        "delete": sql(f"DELETE FROM {target} WHERE id = 1"),
        "update": sql(f"UPDATE {target} SET name = 'x'"),
        "merge": sql(f"MERGE INTO {target} t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *"),
        "optimize": sql(f"OPTIMIZE {target}"),
        "restore": sql(f"RESTORE TABLE {target} TO VERSION AS OF 1"),
        "properties": sql(f"ALTER TABLE {target} SET TBLPROPERTIES ('delta.appendOnly' = 'true')"),
        "add column": sql(f"ALTER TABLE {target} ADD COLUMN other int"),
        "drop feature": sql(f"ALTER TABLE {target} DROP FEATURE deltatxManaged"),
        "vacuum": sql(f"VACUUM {target} RETAIN 0 HOURS"),
    }
