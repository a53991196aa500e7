/*-------------------------------------------------------------------------
 *
 * cut.c
 *	  The consistent cut: the horizon, the watermark, and the versions at it.
 *
 * The worker persists a horizon H: every transaction stamped <= H was visible
 * before H's row was, so whoever sees that row sees them all, on a standby
 * too, where commits become visible in the order of the WAL.  From it follows
 * the watermark of any set of tables, within one snapshot:
 *
 *	T = min(H, stamp of the oldest unpublished version of these tables - 1)
 *
 * It never falls: H doesn't, what is published stays so, and what comes into
 * the queue once H is visible is stamped above H.  And it is durable before it
 * is shown, since H is, and so is what the worker has published.
 *
 * The cut at T is the newest version stamped <= T of each table.  All versions
 * of a transaction have one stamp, so it is wholly in the cut, or wholly out.
 *
 * H is part of a dump, with the queue of the same snapshot.  What is restored
 * then claims no more than what had been published, and stamps go on above
 * all that was ever shown, whatever the clock of the new host.  The row may
 * meet one that the new database's worker has made meanwhile, so there is no
 * key: the highest counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "catalog/cut.h"
#include "catalog/scope.h"

/* The oldest unpublished version of each table that has any. */
#define OLDEST_UNPUBLISHED \
	"WITH RECURSIVE queued (table_id) AS (" \
	" (SELECT q.table_id FROM deltatx.dl_mirror_queue q ORDER BY q.table_id LIMIT 1)" \
	" UNION ALL" \
	" SELECT (SELECT q.table_id FROM deltatx.dl_mirror_queue q" \
	" WHERE q.table_id OPERATOR(pg_catalog.>) p.table_id ORDER BY q.table_id LIMIT 1)" \
	" FROM queued p WHERE p.table_id IS NOT NULL" \
	"), oldest AS MATERIALIZED (" \
	" SELECT v.table_id, v.version, v.stamp FROM queued p" \
	DELTATX_LOOKUP("SELECT q.version FROM deltatx.dl_mirror_queue q" \
				   " WHERE q.table_id OPERATOR(pg_catalog.=) p.table_id" \
				   " ORDER BY q.version LIMIT 1", "q") \
	DELTATX_LOOKUP("SELECT x.table_id, x.version, x.stamp FROM deltatx.dl_table_versions x" \
				   " WHERE x.table_id OPERATOR(pg_catalog.=) p.table_id" \
				   " AND x.version OPERATOR(pg_catalog.=) q.version", "v") \
	")"

static CatalogPlan select_horizon = {
	"SELECT pg_catalog.max(horizon) FROM deltatx.dl_mirror_horizon", 0
};

static CatalogPlan update_horizon = {
	"UPDATE deltatx.dl_mirror_horizon SET horizon = GREATEST(horizon, $1)", 1, {INT8OID}
};

static CatalogPlan insert_horizon = {
	"INSERT INTO deltatx.dl_mirror_horizon (horizon) VALUES ($1)", 1, {INT8OID}
};

static CatalogPlan select_newest_stamp = {
	"SELECT pg_catalog.max(last_stamp) FROM deltatx.dl_table_heads", 0
};

static CatalogPlan select_watermark = {
	OLDEST_UNPUBLISHED
	" SELECT LEAST(h.horizon, (SELECT pg_catalog.min(o.stamp) OPERATOR(pg_catalog.-) 1 FROM oldest o"
	" WHERE $1 IS NULL OR o.table_id OPERATOR(pg_catalog.=) ANY ($1)))"
	" FROM (SELECT pg_catalog.max(horizon) AS horizon FROM deltatx.dl_mirror_horizon) h"
	" WHERE h.horizon IS NOT NULL",
	1, {INT8ARRAYOID}
};

/*
 * Announced bounds are seen as their locks.  A prepared transaction has no
 * process; its identity stands where that of a virtual transaction would.
 */
static CatalogPlan select_holder = {
	OLDEST_UNPUBLISHED
	", holders (stamp, name) AS ("
	" SELECT o.stamp, pg_catalog.format('table=%s version=%s stamp=%s state=%s',"
	" t.table_name, o.version, o.stamp,"
	" CASE WHEN m.paused AND m.state OPERATOR(pg_catalog.<>) 'diverged' THEN 'paused'"
	" WHEN m.state OPERATOR(pg_catalog.=) 'idle' THEN 'pending' ELSE m.state END)"
	" FROM oldest o"
	" JOIN deltatx.dl_tables t ON t.table_id OPERATOR(pg_catalog.=) o.table_id"
	" JOIN deltatx.dl_mirror_status m ON m.table_id OPERATOR(pg_catalog.=) o.table_id"
	" UNION ALL"
	" SELECT (l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)"
	" OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8,"
	" CASE WHEN l.pid IS NOT NULL THEN pg_catalog.format('pid=%s', l.pid)"
	" ELSE pg_catalog.format('prepared=%s', x.gid) END"
	" FROM pg_catalog.pg_locks l"
	" LEFT JOIN pg_catalog.pg_prepared_xacts x ON l.pid IS NULL AND x.transaction::pg_catalog.text"
	" OPERATOR(pg_catalog.=) pg_catalog.split_part(l.virtualtransaction, '/', 2)"
	" WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
	" AND l.database OPERATOR(pg_catalog.=) $1 AND l.objsubid OPERATOR(pg_catalog.=) $2)"
	" SELECT name FROM holders ORDER BY stamp, name LIMIT 1",
	2, {OIDOID, INT4OID}
};

/* From the top; where much is unpublished, from what is published. */
static CatalogPlan select_cut = {
	"SELECT t.table_name, t.location, t.delta_id, t.owner_name, v.version, v.stamp"
	" FROM deltatx.dl_tables t"
	DELTATX_LOOKUP("SELECT s.mirrored_version FROM deltatx.dl_mirror_status s"
				   " WHERE s.table_id OPERATOR(pg_catalog.=) t.table_id", "s")
	DELTATX_LOOKUP("SELECT x.version, x.stamp FROM deltatx.dl_table_versions x"
				   " WHERE x.table_id OPERATOR(pg_catalog.=) t.table_id"
				   " AND x.version OPERATOR(pg_catalog.<=) s.mirrored_version"
				   " AND x.stamp OPERATOR(pg_catalog.<=) $2"
				   " ORDER BY x.version DESC LIMIT 1", "v")
	" WHERE t.dropped_at IS NULL AND ($1 IS NULL OR t.table_id OPERATOR(pg_catalog.=) ANY ($1))"
	" ORDER BY t.table_name",
	2, {INT8ARRAYOID, INT8OID}
};

static DeltaTimestamp stamp_of(CatalogPlan *plan, Datum *args, const char *nulls);

DeltaTimestamp
deltatx_horizon_persisted(void)
{
	return stamp_of(&select_horizon, NULL, NULL);
}

void
deltatx_horizon_persist(DeltaTimestamp horizon)
{
	Datum		args[1] = {Int64GetDatum(horizon)};

	if (deltatx_plan_execute(&update_horizon, args, NULL) == 0)
		(void) deltatx_plan_execute(&insert_horizon, args, NULL);
}

DeltaTimestamp
deltatx_newest_stamp(void)
{
	return stamp_of(&select_newest_stamp, NULL, NULL);
}

DeltaTimestamp
deltatx_watermark(Datum table_ids)
{
	char		nulls[1] = {DELTATX_NULL_IF(table_ids == 0)};

	return stamp_of(&select_watermark, &table_ids, nulls);
}

static DeltaTimestamp
stamp_of(CatalogPlan *plan, Datum *args, const char *nulls)
{
	if (deltatx_plan_execute(plan, args, nulls) == 0)
		return NO_STAMP;
	return deltatx_result_int64_or(SPI_tuptable->vals[0], 1, NO_STAMP);
}

char *
deltatx_watermark_held_by(void)
{
	Datum		args[2] = {ObjectIdGetDatum(MyDatabaseId), Int32GetDatum(STAMP_LOCK_CLASS)};

	if (deltatx_plan_execute(&select_holder, args, NULL) == 0)
		return NULL;
	return deltatx_result_text(SPI_tuptable->vals[0], 1);
}

List *
deltatx_cut_at(Datum table_ids, DeltaTimestamp time)
{
	Datum		args[2] = {table_ids, Int64GetDatum(time)};
	char		nulls[2] = {DELTATX_NULL_IF(table_ids == 0), ' '};
	List	   *result = NIL;

	deltatx_plan_execute(&select_cut, args, nulls);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		CutTable   *table = palloc(sizeof(CutTable));

		table->table_name = deltatx_result_text(row, 1);
		table->location = deltatx_result_text(row, 2);
		table->delta_id = deltatx_result_text(row, 3);
		table->owner_name = deltatx_result_text(row, 4);
		table->version = deltatx_result_int64(row, 5);
		table->stamp = deltatx_result_int64(row, 6);
		result = lappend(result, table);
	}
	return result;
}
