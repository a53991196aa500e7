/*-------------------------------------------------------------------------
 *
 * mirror_status.c
 *	  What sessions ask about the mirror, and tell it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

#include "catalog/arrays.h"
#include "catalog/mirror_status.h"
#include "catalog/scope.h"

static CatalogPlan select_all_tables = {
	"SELECT table_id, table_name, owner_name, server_name FROM deltatx.dl_tables ORDER BY table_id", 0
};

static CatalogPlan select_tables_named = {
	"SELECT table_id, table_name, owner_name, server_name FROM deltatx.dl_tables"
	" WHERE table_name OPERATOR(pg_catalog.=) $1 ORDER BY dropped_at, table_id",
	1, {TEXTOID}
};

static CatalogPlan select_participants = {
	"SELECT t.table_id, t.table_name, t.owner_name, t.server_name, p.version"
	" FROM deltatx.dl_transactions x"
	" CROSS JOIN LATERAL unnest(x.table_ids, x.versions) AS p (table_id, version)"
	" JOIN deltatx.dl_tables t ON t.table_id OPERATOR(pg_catalog.=) p.table_id"
	" WHERE x.transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY t.table_id",
	1, {UUIDOID}
};

/* A diverged table with a next attempt is one that somebody wants to be tried again. */
static CatalogPlan select_position = {
	"SELECT h.current_version, s.mirrored_version, v.xmin, s.state, s.last_error, s.object,"
	" s.state OPERATOR(pg_catalog.=) 'failed'"
	" OR (s.state OPERATOR(pg_catalog.=) 'diverged' AND s.next_attempt_at IS NULL)"
	" FROM deltatx.dl_mirror_status s"
	" JOIN deltatx.dl_table_heads h ON h.table_id OPERATOR(pg_catalog.=) s.table_id"
	" LEFT JOIN deltatx.dl_table_versions v ON v.table_id OPERATOR(pg_catalog.=) s.table_id"
	" AND v.version OPERATOR(pg_catalog.=) $2"
	" WHERE s.table_id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, INT8OID}
};

/* Rows are locked in the order of their keys, so that two of these can't deadlock. */
static CatalogPlan set_paused = {
	"WITH changed AS MATERIALIZED (SELECT table_id FROM deltatx.dl_mirror_status"
	" WHERE table_id OPERATOR(pg_catalog.=) ANY ($1) AND paused OPERATOR(pg_catalog.<>) $2"
	" ORDER BY table_id FOR NO KEY UPDATE)"
	" UPDATE deltatx.dl_mirror_status s"
	" SET paused = $2, state_since = pg_catalog.statement_timestamp()"
	" FROM changed c WHERE s.table_id OPERATOR(pg_catalog.=) c.table_id",
	2, {INT8ARRAYOID, BOOLOID}
};

/* A diverged table goes on refusing commits until an attempt has succeeded. */
static CatalogPlan retry_now = {
	"WITH changed AS MATERIALIZED (SELECT table_id FROM deltatx.dl_mirror_status"
	" WHERE table_id OPERATOR(pg_catalog.=) ANY ($1)"
	" AND state OPERATOR(pg_catalog.=) ANY ('{retrying,failed,diverged}')"
	" ORDER BY table_id FOR NO KEY UPDATE)"
	" UPDATE deltatx.dl_mirror_status s"
	" SET attempts = 0, next_attempt_at = pg_catalog.statement_timestamp(),"
	" state = CASE s.state WHEN 'diverged' THEN s.state ELSE 'retrying' END,"
	" state_since = CASE s.state WHEN 'failed' THEN pg_catalog.statement_timestamp() ELSE s.state_since END"
	" FROM changed c WHERE s.table_id OPERATOR(pg_catalog.=) c.table_id",
	1, {INT8ARRAYOID}
};

/* A diverged table takes no commits anyway; who locks it will be told so. */
static CatalogPlan select_behind = {
	"SELECT h.table_id, h.current_version OPERATOR(pg_catalog.-) s.mirrored_version, h.xmin"
	" FROM deltatx.dl_table_heads h"
	DELTATX_LOOKUP("SELECT mirrored_version, state FROM deltatx.dl_mirror_status"
				   " WHERE table_id OPERATOR(pg_catalog.=) h.table_id", "s")
	" WHERE h.table_id OPERATOR(pg_catalog.=) ANY ($1)"
	" AND h.current_version OPERATOR(pg_catalog.-) s.mirrored_version OPERATOR(pg_catalog.>=) $2"
	" AND s.state OPERATOR(pg_catalog.<>) 'diverged'"
	" ORDER BY h.table_id",
	2, {INT8ARRAYOID, INT8OID}, .read_only = true
};

static MirrorTable read_table(HeapTuple row);
static bool is_own(HeapTuple row, int column);

List *
deltatx_mirror_tables(const char *table_name)
{
	Datum		args[1] = {deltatx_text_datum(table_name)};
	List	   *result = NIL;

	if (table_name == NULL)
		deltatx_plan_execute(&select_all_tables, NULL, NULL);
	else
		deltatx_plan_execute(&select_tables_named, args, NULL);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MirrorTable *table = palloc(sizeof(MirrorTable));

		*table = read_table(SPI_tuptable->vals[i]);
		result = lappend(result, table);
	}
	return result;
}

/* From the first four columns. */
static MirrorTable
read_table(HeapTuple row)
{
	return (MirrorTable)
	{
		.table_id = deltatx_result_int64(row, 1),
		.table_name = deltatx_result_text(row, 2),
		.owner_name = deltatx_result_text(row, 3),
		.server_name = deltatx_result_text(row, 4)
	};
}

/* Whether the row with this xmin was inserted by the current transaction; NULL: there is none. */
static bool
is_own(HeapTuple row, int column)
{
	bool		isnull;
	Datum		xmin = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	return !isnull && TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

List *
deltatx_mirror_participants(const pg_uuid_t *transaction_id)
{
	Datum		args[1] = {UUIDPGetDatum(transaction_id)};
	List	   *result = NIL;

	deltatx_plan_execute(&select_participants, args, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		MirrorParticipant *participant = palloc(sizeof(MirrorParticipant));

		participant->table = read_table(row);
		participant->version = deltatx_result_int64(row, 5);
		result = lappend(result, participant);
	}
	return result;
}

bool
deltatx_mirror_position(int64 table_id, int64 version, MirrorPosition *position)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};
	HeapTuple	row;

	if (deltatx_plan_execute(&select_position, args, NULL) == 0)
		return false;
	row = SPI_tuptable->vals[0];
	position->current_version = deltatx_result_int64(row, 1);
	position->mirrored_version = deltatx_result_int64(row, 2);
	position->is_own = is_own(row, 3);
	position->state = deltatx_result_text(row, 4);
	position->last_error = deltatx_result_text(row, 5);
	position->object = deltatx_result_text(row, 6);
	position->is_stuck = deltatx_result_bool(row, 7);
	return true;
}

/*
 * A head of the current transaction's own is left out: this table was looked
 * at before that commit, and what is not committed can't be published.
 */
bool
deltatx_mirror_first_behind(const int64 *table_ids, int n, int64 limit,
							int64 *table_id, int64 *backlog)
{
	Datum		args[2] = {deltatx_int8_array(table_ids, n), Int64GetDatum(limit)};
	uint64		rows;

	PushActiveSnapshot(GetLatestSnapshot());
	rows = deltatx_plan_execute(&select_behind, args, NULL);
	PopActiveSnapshot();

	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];

		if (is_own(row, 3))
			continue;
		*table_id = deltatx_result_int64(row, 1);
		*backlog = deltatx_result_int64(row, 2);
		return true;
	}
	return false;
}

int64
deltatx_mirror_set_paused(Datum table_ids, bool paused)
{
	Datum		args[2] = {table_ids, BoolGetDatum(paused)};

	return (int64) deltatx_plan_execute(&set_paused, args, NULL);
}

int64
deltatx_mirror_retry_now(Datum table_ids)
{
	return (int64) deltatx_plan_execute(&retry_now, &table_ids, NULL);
}
