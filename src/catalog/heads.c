/*-------------------------------------------------------------------------
 *
 * heads.c
 *	  The commit locks of tables, and what is read and written under them.
 *
 * The row lock of a table's head is its commit lock: it hands out versions in
 * a total order, and lives exactly as long as the caller's transaction.
 * Transactions lock the heads that they need in the order of table_id, so no
 * two of them can wait for each other in a circle.
 *
 * The locking statement does nothing else.  After a wait it returns the newest
 * row, but anything else in it would still see the snapshot from before the
 * wait.  What is looked up next, in a statement of its own, sees everything
 * that the former holders of the lock have committed.
 *
 * A head that is only read is locked FOR SHARE: readers don't wait for each
 * other, and a writer of that table waits for us.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/guc.h"

#include "catalog/arrays.h"
#include "catalog/heads.h"
#include "catalog/scope.h"
#include "deltatx.h"

#define SELECT_HEADS \
	"SELECT table_id, current_version, last_stamp, num_files, num_bytes," \
	" metadata_version, protocol_version, shape_commit_id" \
	" FROM deltatx.dl_table_heads" \
	" WHERE table_id OPERATOR(pg_catalog.=) ANY ($1)" \
	" ORDER BY table_id"

static CatalogPlan lock_heads[] = {
	[HEAD_WRITE] = {SELECT_HEADS " FOR NO KEY UPDATE", 1, {INT8ARRAYOID}},
	[HEAD_READ] = {SELECT_HEADS " FOR SHARE", 1, {INT8ARRAYOID}},
	[HEAD_DROP] = {SELECT_HEADS " FOR UPDATE", 1, {INT8ARRAYOID}},
	[HEAD_NO_LOCK] = {SELECT_HEADS, 1, {INT8ARRAYOID}},
};

static CatalogPlan bump_heads = {
	"UPDATE deltatx.dl_table_heads h SET current_version = n.current_version,"
	" last_stamp = n.last_stamp, num_files = n.num_files, num_bytes = n.num_bytes,"
	" metadata_version = n.metadata_version, protocol_version = n.protocol_version,"
	" shape_commit_id = n.shape_commit_id"
	" FROM (SELECT pg_catalog.unnest($1) AS table_id, pg_catalog.unnest($2) AS current_version,"
	" pg_catalog.unnest($3) AS last_stamp, pg_catalog.unnest($4) AS num_files,"
	" pg_catalog.unnest($5) AS num_bytes, pg_catalog.unnest($6) AS metadata_version,"
	" pg_catalog.unnest($7) AS protocol_version, pg_catalog.unnest($8) AS shape_commit_id) n"
	" WHERE h.table_id OPERATOR(pg_catalog.=) n.table_id"
	" AND h.table_id OPERATOR(pg_catalog.=) ANY ($1)",
	8, {INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	INT8ARRAYOID, INT8ARRAYOID}
};

static CatalogPlan insert_head = {
	"INSERT INTO deltatx.dl_table_heads (table_id, current_version, last_stamp, num_files,"
	" num_bytes, metadata_version, protocol_version, shape_commit_id)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	8, {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID}
};

static CatalogPlan select_refused = {
	"SELECT m.table_id, CASE WHEN t.dropped_at IS NULL THEN m.state ELSE 'dropped' END"
	" FROM deltatx.dl_mirror_status m"
	DELTATX_LOOKUP("SELECT dropped_at FROM deltatx.dl_tables"
				   " WHERE table_id OPERATOR(pg_catalog.=) m.table_id", "t")
	" WHERE m.table_id OPERATOR(pg_catalog.=) ANY ($1) AND (t.dropped_at IS NOT NULL"
	" OR m.state OPERATOR(pg_catalog.=) ANY ('{held,importing,following,diverged}'))",
	1, {INT8ARRAYOID}
};

static void lock_run(TableHead *heads, int n, const char *table_name);
static uint64 execute_locking(CatalogPlan *plan, Datum *args, const char *table_name);
static void fill_in(TableHead *head, HeapTuple row);

void
deltatx_heads_lock(TableHead *heads, int n, const char *table_name)
{
	int			start = 0;

	for (int i = 1; i <= n; i++)
	{
		if (i < n && heads[i].lock == heads[start].lock)
			continue;
		lock_run(heads + start, i - start, table_name);
		start = i;
	}
}

void
deltatx_heads_bump(const TableHead *heads, int n)
{
	int64	   *columns = palloc(sizeof(int64) * 8 * Max(n, 1));
	Datum		args[8];
	int			written = 0;

	for (int i = 0; i < n; i++)
	{
		const TableHead *head = &heads[i];
		int64		fields[8] = {head->table_id, head->current_version, head->last_stamp,
		head->num_files, head->num_bytes, head->metadata_version, head->protocol_version,
		head->shape_commit_id};

		if (head->lock != HEAD_WRITE)
			continue;
		for (int column = 0; column < 8; column++)
			columns[column * n + written] = fields[column];
		written++;
	}

	for (int column = 0; column < 8; column++)
		args[column] = deltatx_int8_array(columns + column * n, written);
	if (deltatx_plan_execute(&bump_heads, args, NULL) != written)
		elog(ERROR, "bumped " UINT64_FORMAT " heads instead of %d", SPI_processed, written);
	pfree(columns);
}

void
deltatx_head_insert(const TableHead *head)
{
	Datum		args[8] = {
		Int64GetDatum(head->table_id), Int64GetDatum(head->current_version),
		Int64GetDatum(head->last_stamp), Int64GetDatum(head->num_files),
		Int64GetDatum(head->num_bytes), Int64GetDatum(head->metadata_version),
		Int64GetDatum(head->protocol_version), Int64GetDatum(head->shape_commit_id)
	};

	(void) deltatx_plan_execute(&insert_head, args, NULL);
}

int64
deltatx_heads_first_refused(const int64 *table_ids, int n, char **state)
{
	Datum		args[1] = {deltatx_int8_array(table_ids, n)};

	if (deltatx_plan_execute(&select_refused, args, NULL) == 0)
		return -1;
	*state = deltatx_result_text(SPI_tuptable->vals[0], 2);
	return deltatx_result_int64(SPI_tuptable->vals[0], 1);
}

/* Lock a run of heads of equal strength, in one statement. */
static void
lock_run(TableHead *heads, int n, const char *table_name)
{
	int64	   *ids = palloc(sizeof(int64) * n);
	Datum		args[1];
	uint64		rows;

	for (int i = 0; i < n; i++)
	{
		ids[i] = heads[i].table_id;
		heads[i].found = false;
	}
	args[0] = deltatx_int8_array(ids, n);
	rows = execute_locking(&lock_heads[heads[0].lock], args, table_name);

	for (uint64 row = 0; row < rows; row++)
	{
		int64		id = deltatx_result_int64(SPI_tuptable->vals[row], 1);

		for (int i = 0; i < n; i++)
			if (heads[i].table_id == id)
				fill_in(&heads[i], SPI_tuptable->vals[row]);
	}
	pfree(ids);
}

/*
 * Under deltatx.lock_timeout.  The caller's lock_timeout is not meant for
 * this: a queue of committers is normal here.
 */
static uint64
execute_locking(CatalogPlan *plan, Datum *args, const char *table_name)
{
	int			guc_level = NewGUCNestLevel();
	char		timeout[32];
	uint64		rows;

	snprintf(timeout, sizeof(timeout), "%d", deltatx_lock_timeout);
	(void) set_config_option("lock_timeout", timeout, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	rows = deltatx_plan_execute_waiting(plan, args, table_name,
										"Another transaction holds the table's commit lock; retry, or raise deltatx.lock_timeout.");
	AtEOXact_GUC(false, guc_level);
	return rows;
}

static void
fill_in(TableHead *head, HeapTuple row)
{
	head->found = true;
	head->current_version = deltatx_result_int64(row, 2);
	head->last_stamp = deltatx_result_int64(row, 3);
	head->num_files = deltatx_result_int64(row, 4);
	head->num_bytes = deltatx_result_int64(row, 5);
	head->metadata_version = deltatx_result_int64(row, 6);
	head->protocol_version = deltatx_result_int64(row, 7);
	head->shape_commit_id = deltatx_result_int64(row, 8);
}
