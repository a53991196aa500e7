/*-------------------------------------------------------------------------
 *
 * versions.c
 *	  Versions and transactions as they are committed, and the mirror's queue.
 *
 * All versions of a transaction are inserted by one statement, and queued for
 * the mirror by another: a commit's cost is in the number of statements more
 * than in that of rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/arrays.h"
#include "catalog/scope.h"
#include "catalog/versions.h"
#include "deltatx.h"

static CatalogPlan insert_versions = {
	"INSERT INTO deltatx.dl_table_versions (transaction_id, stamp, user_name, engine_info, serializer,"
	" table_id, version, commit_id, read_version, files_added, files_removed, bytes_added,"
	" bytes_removed, is_blind_append, operation, operation_parameters, operation_metrics,"
	" user_metadata, tags, isolation, controls)"
	" SELECT $1, $2, $3, $4, $5,"
	" v.table_id, v.version, v.commit_id,"
	" CASE WHEN v.read_version OPERATOR(pg_catalog.>=) 0 THEN v.read_version END,"
	" v.files_added, v.files_removed, v.bytes_added, v.bytes_removed, v.is_blind_append,"
	" v.operation, v.operation_parameters, v.operation_metrics, v.user_metadata, v.tags, v.isolation, v.controls"
	" FROM (SELECT pg_catalog.unnest($6) AS table_id, pg_catalog.unnest($7) AS version,"
	" pg_catalog.unnest($8) AS commit_id, pg_catalog.unnest($9) AS read_version,"
	" pg_catalog.unnest($10) AS files_added, pg_catalog.unnest($11) AS files_removed,"
	" pg_catalog.unnest($12) AS bytes_added, pg_catalog.unnest($13) AS bytes_removed,"
	" pg_catalog.unnest($14) AS is_blind_append, pg_catalog.unnest($15) AS operation,"
	" pg_catalog.unnest($16) AS operation_parameters, pg_catalog.unnest($17) AS operation_metrics,"
	" pg_catalog.unnest($18) AS user_metadata, pg_catalog.unnest($19) AS tags,"
	" pg_catalog.unnest($20) AS isolation, pg_catalog.unnest($21) AS controls) v",
	21, {UUIDOID, INT8OID, TEXTOID, TEXTOID, INT2OID,
		INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	INT8ARRAYOID, BOOLARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	INT8ARRAYOID}
};

static CatalogPlan enqueue = {
	"INSERT INTO deltatx.dl_mirror_queue (table_id, version, transaction_id)"
	" SELECT v.table_id, v.version, $1 FROM unnest($2, $3) AS v (table_id, version)",
	3, {UUIDOID, INT8ARRAYOID, INT8ARRAYOID}
};

static CatalogPlan insert_transaction = {
	"INSERT INTO deltatx.dl_transactions (transaction_id, stamp, user_name, isolation,"
	" table_ids, delta_ids, versions, read_table_ids, read_versions)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
	9, {UUIDOID, INT8OID, TEXTOID, TEXTOID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	INT8ARRAYOID}
};

static CatalogPlan select_of_transaction = {
	"SELECT t.table_name, v.version, v.files_added, v.files_removed, v.stamp"
	" FROM deltatx.dl_transactions x"
	" CROSS JOIN LATERAL unnest(x.table_ids, x.versions) AS p (table_id, version)"
	DELTATX_LOOKUP("SELECT * FROM deltatx.dl_table_versions"
				   " WHERE table_id OPERATOR(pg_catalog.=) p.table_id"
				   " AND version OPERATOR(pg_catalog.=) p.version", "v")
	DELTATX_LOOKUP("SELECT table_name FROM deltatx.dl_tables"
				   " WHERE table_id OPERATOR(pg_catalog.=) p.table_id", "t")
	" WHERE x.transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY t.table_name",
	1, {UUIDOID}
};

static CatalogPlan select_operation = {
	"SELECT operation FROM deltatx.dl_table_versions"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT8OID}
};

/* Stamps rise with versions, so the newest version at a time is found from the top. */
static CatalogPlan select_version_at = {
	"SELECT version FROM deltatx.dl_table_versions"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND stamp OPERATOR(pg_catalog.<=) $2"
	" ORDER BY version DESC LIMIT 1",
	2, {INT8OID, INT8OID}
};

static void insert_rows(const NewTransaction *transaction, const NewVersion *versions, int n);
static Datum numbers_of(const NewVersion *versions, int n, size_t offset);
static Datum texts_of(const NewVersion *versions, int n, size_t offset);
static Datum blind_appends_of(const NewVersion *versions, int n);

void
deltatx_versions_insert(const NewTransaction *transaction, const NewVersion *versions, int n)
{
	Datum		ids = numbers_of(versions, n, offsetof(NewVersion, table_id));
	Datum		numbers = numbers_of(versions, n, offsetof(NewVersion, version));
	Datum		id = UUIDPGetDatum(&transaction->id);
	Datum		queued[3] = {id, ids, numbers};
	Datum		args[9] = {
		id, Int64GetDatum(transaction->stamp),
		deltatx_text_datum(transaction->user_name), deltatx_text_datum(transaction->isolation),
		ids, texts_of(versions, n, offsetof(NewVersion, delta_id)), numbers,
		deltatx_int8_array(transaction->read_table_ids, transaction->n_reads),
		deltatx_int8_array(transaction->read_versions, transaction->n_reads)
	};

	insert_rows(transaction, versions, n);
	(void) deltatx_plan_execute(&enqueue, queued, NULL);
	(void) deltatx_plan_execute(&insert_transaction, args, NULL);
}

int
deltatx_versions_of_transaction(const pg_uuid_t *id, VersionRow **rows)
{
	Datum		args[1] = {UUIDPGetDatum(id)};
	uint64		n = deltatx_plan_execute(&select_of_transaction, args, NULL);

	*rows = palloc(sizeof(VersionRow) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];

		(*rows)[i].table_name = deltatx_result_text(row, 1);
		(*rows)[i].version = deltatx_result_int64(row, 2);
		(*rows)[i].files_added = deltatx_result_int64(row, 3);
		(*rows)[i].files_removed = deltatx_result_int64(row, 4);
		(*rows)[i].stamp = deltatx_result_int64(row, 5);
	}
	return (int) n;
}

int64
deltatx_version_at(int64 table_id, DeltaTimestamp time)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(time)};

	if (deltatx_plan_execute(&select_version_at, args, NULL) == 0)
		return -1;
	return deltatx_result_int64(SPI_tuptable->vals[0], 1);
}

char *
deltatx_version_operation(int64 table_id, int64 version)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};

	if (deltatx_plan_execute(&select_operation, args, NULL) == 0)
		return NULL;
	return deltatx_result_text(SPI_tuptable->vals[0], 1);
}

static void
insert_rows(const NewTransaction *transaction, const NewVersion *versions, int n)
{
	Datum		args[21] = {
		UUIDPGetDatum(&transaction->id), Int64GetDatum(transaction->stamp),
		deltatx_text_datum(transaction->user_name), deltatx_text_datum(DELTATX_ENGINE_INFO),
		Int16GetDatum(DELTATX_SERIALIZER_VERSION),
		numbers_of(versions, n, offsetof(NewVersion, table_id)),
		numbers_of(versions, n, offsetof(NewVersion, version)),
		numbers_of(versions, n, offsetof(NewVersion, commit_id)),
		numbers_of(versions, n, offsetof(NewVersion, read_version)),
		numbers_of(versions, n, offsetof(NewVersion, files_added)),
		numbers_of(versions, n, offsetof(NewVersion, files_removed)),
		numbers_of(versions, n, offsetof(NewVersion, bytes_added)),
		numbers_of(versions, n, offsetof(NewVersion, bytes_removed)),
		blind_appends_of(versions, n),
		texts_of(versions, n, offsetof(NewVersion, operation)),
		texts_of(versions, n, offsetof(NewVersion, operation_parameters)),
		texts_of(versions, n, offsetof(NewVersion, operation_metrics)),
		texts_of(versions, n, offsetof(NewVersion, user_metadata)),
		texts_of(versions, n, offsetof(NewVersion, tags)),
		texts_of(versions, n, offsetof(NewVersion, isolation)),
		numbers_of(versions, n, offsetof(NewVersion, controls))
	};

	(void) deltatx_plan_execute(&insert_versions, args, NULL);
}

/* An int64 field of each version. */
static Datum
numbers_of(const NewVersion *versions, int n, size_t offset)
{
	int64	   *values = palloc(sizeof(int64) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = *(const int64 *) ((const char *) &versions[i] + offset);
	return deltatx_int8_array(values, n);
}

/* A char * field of each version. */
static Datum
texts_of(const NewVersion *versions, int n, size_t offset)
{
	char	  **values = palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = *(char *const *) ((const char *) &versions[i] + offset);
	return deltatx_text_array(values, n);
}

static Datum
blind_appends_of(const NewVersion *versions, int n)
{
	bool	   *values = palloc(sizeof(bool) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = versions[i].is_blind_append;
	return deltatx_bool_array(values, n);
}
