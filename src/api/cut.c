/*-------------------------------------------------------------------------
 *
 * cut.c
 *	  SQL functions: the watermark, and the consistent cut at it.
 *
 * The horizon moves by itself only as far as there is something to see.  So
 * who looks asks the worker to bring it up to now, and waits, for a moment:
 * what is persisted is right anyway, only older.  Nobody is asked where a
 * newer horizon could not be seen, or could not come.
 *
 * The watermark is read in one snapshot, and the versions at it in another,
 * which is younger or the same: what is stamped up to the watermark stands.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "api/args.h"
#include "catalog/arrays.h"
#include "catalog/cut.h"
#include "catalog/scope.h"
#include "catalog/tables.h"
#include "deltatx.h"
#include "mirror/shared.h"
#include "txn/rights.h"
#include "txn/stamp.h"

/* How long to wait for a worker that may be waiting for a store. */
#define ANSWER_TIMEOUT_MS	1000

PG_FUNCTION_INFO_V1(deltatx_mirror_watermark);
PG_FUNCTION_INFO_V1(deltatx_cut);
PG_FUNCTION_INFO_V1(deltatx_watermark_status);

static void freshen(void);
static Datum tables_of(FunctionCallInfo fcinfo, Oid user);
static DeltaTimestamp cut_time(Datum tables, const TimestampTz *as_of);
static void refuse_time(TimestampTz as_of, DeltaTimestamp watermark) pg_attribute_noreturn();
static void return_table(ReturnSetInfo *result, const CutTable *table);

/* deltatx_mirror_watermark(tables text[]) returns timestamptz */
PGDLLEXPORT Datum
deltatx_mirror_watermark(PG_FUNCTION_ARGS)
{
	CatalogScope scope;
	DeltaTimestamp watermark;

	freshen();
	deltatx_scope_enter(&scope);
	watermark = deltatx_watermark(tables_of(fcinfo, scope.user));
	deltatx_scope_leave(&scope);

	if (watermark == NO_STAMP)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(deltatx_stamp_to_timestamptz(watermark));
}

/* deltatx_cut(tables text[], as_of timestamptz) returns table */
PGDLLEXPORT Datum
deltatx_cut(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz as_of = PG_ARGISNULL(1) ? 0 : PG_GETARG_TIMESTAMPTZ(1);
	CatalogScope scope;
	Datum		tables;
	List	   *cut;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	freshen();
	deltatx_scope_enter(&scope);
	tables = tables_of(fcinfo, scope.user);
	cut = deltatx_cut_at(tables, cut_time(tables, PG_ARGISNULL(1) ? NULL : &as_of));
	foreach(cell, cut)
	{
		const CutTable *table = lfirst(cell);

		if (deltatx_rights_has(table->owner_name, scope.user))
			return_table(result, table);
	}
	deltatx_scope_leave(&scope);
	return (Datum) 0;
}

/* deltatx.watermark_status(OUT watermark timestamptz, OUT held_by text) */
PGDLLEXPORT Datum
deltatx_watermark_status(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	TupleDesc	descriptor;
	CatalogScope scope;
	DeltaTimestamp watermark;
	char	   *held_by;
	Datum		values[2];
	bool		nulls[2];

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	freshen();
	deltatx_scope_enter(&scope);
	watermark = deltatx_watermark(0);
	held_by = deltatx_watermark_held_by();
	MemoryContextSwitchTo(caller);
	nulls[0] = watermark == NO_STAMP;
	nulls[1] = held_by == NULL;
	values[0] = TimestampTzGetDatum(deltatx_stamp_to_timestamptz(watermark));
	values[1] = deltatx_text_datum(held_by);
	deltatx_scope_leave(&scope);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* Have the worker bring the horizon up to now. */
static void
freshen(void)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ANSWER_TIMEOUT_MS);
	uint64		ticket;

	if (!deltatx_is_preloaded() || RecoveryInProgress() || !deltatx_mirror_enabled ||
		IsolationUsesXactSnapshot())
		return;

	deltatx_shared_prepare_wait();
	ticket = deltatx_shared_ask_horizon(MyDatabaseId);
	while (ticket != 0 && !deltatx_shared_has_answered(MyDatabaseId, ticket))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			break;
		(void) deltatx_shared_wait_progress(left);
	}
	deltatx_shared_end_wait();
}

/* The ids of the tables that the first argument names, as bigint[]; 0 where it is NULL. */
static Datum
tables_of(FunctionCallInfo fcinfo, Oid user)
{
	List	   *names = deltatx_arg_strings(fcinfo, 0, "tables");
	int64	   *table_ids = palloc(sizeof(int64) * Max(list_length(names), 1));
	int			n = 0;
	ListCell   *cell;

	if (PG_ARGISNULL(0))
		return (Datum) 0;
	foreach(cell, names)
	{
		const char *name = lfirst(cell);
		const TableRef *table = deltatx_table_find(name);

		if (table == NULL)
			deltatx_rights_refuse_missing(name);
		deltatx_rights_require(table->owner_name, user, name);
		table_ids[n++] = table->table_id;
	}
	return deltatx_int8_array(table_ids, n);
}

/* as_of: NULL for the watermark. */
static DeltaTimestamp
cut_time(Datum tables, const TimestampTz *as_of)
{
	DeltaTimestamp watermark = deltatx_watermark(tables);
	DeltaTimestamp time;

	if (as_of == NULL)
		return watermark;
	time = deltatx_stamp_of_timestamptz(*as_of);
	if (time > watermark)
		refuse_time(*as_of, watermark);
	return time;
}

static void
refuse_time(TimestampTz as_of, DeltaTimestamp watermark)
{
	char	   *until = watermark == NO_STAMP ? "none" :
		pstrdup(timestamptz_to_str(deltatx_stamp_to_timestamptz(watermark)));

	ereport(ERROR,
			(deltatx_condition(DTX_VERSION_NOT_FOUND, NULL),
			 errmsg("there is no cut at %s yet", timestamptz_to_str(as_of)),
			 errdetail_internal("watermark=%s", until),
			 errhint("Ask for a time up to deltatx_mirror_watermark(); column watermark_held_by of view deltatx.status says what holds it back.")));
}

static void
return_table(ReturnSetInfo *result, const CutTable *table)
{
	Datum		values[4] = {
		CStringGetTextDatum(table->table_name),
		CStringGetTextDatum(table->location),
		Int64GetDatum(table->version),
		TimestampTzGetDatum(deltatx_stamp_to_timestamptz(table->stamp))
	};
	bool		nulls[4] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}
