/*-------------------------------------------------------------------------
 *
 * mirror_drop.c
 *	  Clear away what dropped tables have left.
 *
 * A dropped table keeps its rows until its last version is published.  Then
 * they go in batches, each in a transaction of its own, so that a table of
 * millions of files neither holds a snapshot for minutes nor blocks anybody.
 * What is deleted first is what names other rows: the files of the oldest
 * versions before those versions, the table itself last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/mirror_drop.h"
#include "catalog/scope.h"

/* Rows that one statement deletes at most; of versions fewer, since each has files. */
#define BATCH_ROWS		10000
#define BATCH_VERSIONS	100

/* Looks at dropped tables only, however many others there are. */
static CatalogPlan select_dropped = {
	"SELECT t.table_id, t.table_name FROM deltatx.dl_tables t"
	" WHERE t.dropped_at IS NOT NULL"
	" AND (SELECT NOT s.paused FROM deltatx.dl_mirror_status s"
	" WHERE s.table_id OPERATOR(pg_catalog.=) t.table_id)"
	" AND (SELECT q.version FROM deltatx.dl_mirror_queue q"
	" WHERE q.table_id OPERATOR(pg_catalog.=) t.table_id LIMIT 1) IS NULL"
	" LIMIT 1",
	0
};

/* The rows of a table that a statement finds by table_id; $2: how many. */
#define DELETE_FROM(relation) \
	"DELETE FROM deltatx." relation " WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY(" \
	"SELECT x.ctid FROM deltatx." relation " x" \
	" WHERE x.table_id OPERATOR(pg_catalog.=) $1 LIMIT $2))"

/* The same by the commits of the oldest versions. */
#define DELETE_COMMITS_FROM(relation) \
	"DELETE FROM deltatx." relation " WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY(" \
	"SELECT x.ctid FROM (SELECT commit_id FROM deltatx.dl_table_versions" \
	" WHERE table_id OPERATOR(pg_catalog.=) $1 ORDER BY version LIMIT $3) v" \
	DELTATX_LOOKUP("SELECT ctid FROM deltatx." relation \
				   " WHERE commit_id OPERATOR(pg_catalog.=) v.commit_id", "x") \
	" LIMIT $2))"

#define STEP_ARGS	3, {INT8OID, INT8OID, INT8OID}

typedef struct DropStep
{
	int			batch;			/* rows that one execution deletes at most */
	CatalogPlan plan;			/* of table_id, batch, BATCH_VERSIONS */
} DropStep;

static DropStep steps[] = {
	{BATCH_ROWS, {DELETE_FROM("dl_live_files"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_COMMITS_FROM("dl_remove_files"), STEP_ARGS}},
	{BATCH_ROWS, {DELETE_COMMITS_FROM("dl_add_files"), STEP_ARGS}},
	{BATCH_VERSIONS, {
		"DELETE FROM deltatx.dl_table_versions"
		" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) ANY (ARRAY("
		"SELECT x.version FROM deltatx.dl_table_versions x"
		" WHERE x.table_id OPERATOR(pg_catalog.=) $1 ORDER BY x.version LIMIT $2))",
		2, {INT8OID, INT8OID}
	}},
	{BATCH_ROWS, {DELETE_FROM("dl_metadata_updates"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_protocol_updates"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_txn_actions"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_domain_metadata"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_published_versions"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_table_heads"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_mirror_status"), 2, {INT8OID, INT8OID}}},
	{BATCH_ROWS, {DELETE_FROM("dl_tables"), 2, {INT8OID, INT8OID}}},
};


bool
deltatx_dropped_find(int64 *table_id, char **table_name)
{
	if (deltatx_plan_execute(&select_dropped, NULL, NULL) == 0)
		return false;
	*table_id = deltatx_result_int64(SPI_tuptable->vals[0], 1);
	*table_name = deltatx_result_text(SPI_tuptable->vals[0], 2);
	return true;
}

bool
deltatx_dropped_delete(int64 table_id)
{
	Datum		args[3] = {Int64GetDatum(table_id), 0, Int64GetDatum(BATCH_VERSIONS)};

	for (int i = 0; i < lengthof(steps); i++)
	{
		args[1] = Int64GetDatum(steps[i].batch);
		if (deltatx_plan_execute(&steps[i].plan, args, NULL) == steps[i].batch)
			return false;
	}
	return true;
}
