/*-------------------------------------------------------------------------
 *
 * mirror.c
 *	  SQL functions: wait for the mirror, steer it, see what it does.
 *
 * deltatx_wait looks again whenever the worker has recorded something, each
 * time with a fresh snapshot that it does not keep while it sleeps.  It can't
 * work where every statement has the snapshot of the transaction, and it
 * would wait for nothing if the version was the caller's own, which is
 * published only after COMMIT.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "catalog/arrays.h"
#include "catalog/mirror_status.h"
#include "catalog/scope.h"
#include "deltatx.h"
#include "mirror/mirror.h"
#include "mirror/shared.h"
#include "txn/rights.h"
#include "txn/session.h"
#include "txn/uuid7.h"

/* A worker that can't tell us of its progress, having crashed or being another server's. */
#define LOOK_AGAIN_MS	1000

/* A version to wait for. */
typedef struct Awaited
{
	MirrorTable table;
	int64		version;
} Awaited;

typedef int64 (*TablesAction) (Datum table_ids);

PG_FUNCTION_INFO_V1(deltatx_wait);
PG_FUNCTION_INFO_V1(deltatx_wait_transaction);
PG_FUNCTION_INFO_V1(deltatx_pause);
PG_FUNCTION_INFO_V1(deltatx_resume);
PG_FUNCTION_INFO_V1(deltatx_retry);
PG_FUNCTION_INFO_V1(deltatx_worker_status);
PG_FUNCTION_INFO_V1(deltatx_library_version);

static List *awaited_version(const char *table_name, const int64 *version);
static List *awaited_transaction(const pg_uuid_t *transaction_id);
static Awaited *await(const MirrorTable *table, int64 version);
static void require_waitable(const char *function);
static bool wait_for(List *awaited, TimestampTz deadline);
static TimestampTz after(const Interval *timeout);
static bool all_published(List *awaited);
static bool is_published(const Awaited *awaited);
static void refuse_own(const char *table_name);
static void refuse_unknown_version(const char *table_name, int64 version, int64 current_version);
static void refuse_stuck(const Awaited *awaited, const MirrorPosition *position);
static Datum on_tables(FunctionCallInfo fcinfo, const char *function, TablesAction action);
static Datum usable_tables(const char *table_name, const char *server, Oid user);
static bool is_meant(const MirrorTable *table, const char *server, Oid user);
static int64 pause_tables(Datum table_ids);
static int64 resume_tables(Datum table_ids);
static void require_argument(FunctionCallInfo fcinfo, int number, const char *name);

/* deltatx_wait(table_name text, version bigint, timeout interval) returns boolean */
Datum
deltatx_wait(PG_FUNCTION_ARGS)
{
	int64		version;
	List	   *awaited;

	require_argument(fcinfo, 0, "table_name");
	require_argument(fcinfo, 2, "timeout");
	require_waitable("deltatx_wait");

	if (!PG_ARGISNULL(1))
		version = PG_GETARG_INT64(1);
	awaited = awaited_version(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							  PG_ARGISNULL(1) ? NULL : &version);
	PG_RETURN_BOOL(wait_for(awaited, after(PG_GETARG_INTERVAL_P(2))));
}

/* version: NULL for the newest one. */
static List *
awaited_version(const char *table_name, const int64 *version)
{
	MemoryContext caller = CurrentMemoryContext;
	CatalogScope scope;
	List	   *tables;
	MirrorTable *table;
	MirrorPosition position;
	Awaited    *awaited;

	deltatx_scope_enter(&scope);
	tables = deltatx_mirror_tables(table_name);
	if (tables == NIL)
		deltatx_rights_refuse_missing(table_name);
	table = llast(tables);
	deltatx_rights_require(table->owner_name, scope.user, table_name);

	if (!deltatx_mirror_position(table->table_id, version != NULL ? *version : NO_VERSION, &position))
		deltatx_rights_refuse_missing(table_name);
	if (version != NULL && (*version < 0 || *version > position.current_version))
		refuse_unknown_version(table_name, *version, position.current_version);

	MemoryContextSwitchTo(caller);
	awaited = await(table, version != NULL ? *version : position.current_version);
	deltatx_scope_leave(&scope);
	return list_make1(awaited);
}

/* A copy, in the current memory context. */
static Awaited *
await(const MirrorTable *table, int64 version)
{
	Awaited    *awaited = palloc(sizeof(Awaited));

	awaited->table.table_id = table->table_id;
	awaited->table.table_name = pstrdup(table->table_name);
	awaited->table.owner_name = pstrdup(table->owner_name);
	awaited->version = version;
	return awaited;
}

/* deltatx_wait_transaction(transaction_id uuid, timeout interval) returns boolean */
Datum
deltatx_wait_transaction(PG_FUNCTION_ARGS)
{
	List	   *awaited;

	require_argument(fcinfo, 0, "transaction_id");
	require_argument(fcinfo, 1, "timeout");
	require_waitable("deltatx_wait_transaction");

	awaited = awaited_transaction(PG_GETARG_UUID_P(0));
	PG_RETURN_BOOL(wait_for(awaited, after(PG_GETARG_INTERVAL_P(1))));
}

static List *
awaited_transaction(const pg_uuid_t *transaction_id)
{
	MemoryContext caller = CurrentMemoryContext;
	OpenTransaction *open = deltatx_session_current();
	CatalogScope scope;
	List	   *participants;
	List	   *result = NIL;
	ListCell   *cell;

	if (open != NULL && memcmp(&open->id, transaction_id, sizeof(pg_uuid_t)) == 0)
		refuse_own(NULL);

	deltatx_scope_enter(&scope);
	participants = deltatx_mirror_participants(transaction_id);
	if (participants == NIL)
		ereport(ERROR,
				(deltatx_condition(DTX_VERSION_NOT_FOUND, NULL),
				 errmsg("there is no committed transaction %s", deltatx_uuid_text(transaction_id)),
				 errhint("See view deltatx.transactions.")));

	MemoryContextSwitchTo(caller);
	foreach(cell, participants)
	{
		MirrorParticipant *participant = lfirst(cell);

		deltatx_rights_require(participant->table.owner_name, scope.user,
							   participant->table.table_name);
		result = lappend(result, await(&participant->table, participant->version));
	}
	deltatx_scope_leave(&scope);
	return result;
}

static void
require_waitable(const char *function)
{
	if (!deltatx_is_preloaded())
		ereport(ERROR,
				(deltatx_condition(DTX_NOT_PRELOADED, NULL),
				 errmsg("cannot execute %s(): deltatx is not in shared_preload_libraries", function),
				 errhint("Add deltatx to shared_preload_libraries and restart the server; until then nothing is published.")));

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(deltatx_condition(DTX_TRANSACTION_OPEN, NULL),
				 errmsg("cannot execute %s() in a transaction that keeps its snapshot", function),
				 errhint("Call it outside of a transaction, or at isolation level READ COMMITTED.")));
}

static TimestampTz
after(const Interval *timeout)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(GetCurrentTimestamp()),
												   IntervalPGetDatum(timeout)));
}

/* False when the time is over. */
static bool
wait_for(List *awaited, TimestampTz deadline)
{
	bool		published;

	deltatx_shared_prepare_wait();
	while (!(published = all_published(awaited)))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			break;
		deltatx_shared_wait_progress(Min(left, LOOK_AGAIN_MS));
	}
	deltatx_shared_end_wait();
	return published;
}

static bool
all_published(List *awaited)
{
	CatalogScope scope;
	bool		result = true;
	ListCell   *cell;

	deltatx_scope_enter(&scope);
	foreach(cell, awaited)
	{
		if (!is_published(lfirst(cell)))
			result = false;
	}
	deltatx_scope_leave(&scope);
	return result;
}

static bool
is_published(const Awaited *awaited)
{
	MirrorPosition position;

	/* Dropped, and cleared away since: that happens after all is published. */
	if (!deltatx_mirror_position(awaited->table.table_id, awaited->version, &position))
		return true;
	if (position.mirrored_version >= awaited->version)
		return true;

	if (position.is_own)
		refuse_own(awaited->table.table_name);
	if (position.is_stuck)
		refuse_stuck(awaited, &position);
	return false;
}

static void
refuse_own(const char *table_name)
{
	ereport(ERROR,
			(deltatx_condition(DTX_TRANSACTION_OPEN, table_name),
			 errmsg("cannot wait for a version of the current transaction"),
			 errhint("Nothing is published before COMMIT; wait after it.")));
}

static void
refuse_unknown_version(const char *table_name, int64 version, int64 current_version)
{
	ereport(ERROR,
			(deltatx_condition(DTX_VERSION_NOT_FOUND, table_name),
			 errmsg("Delta table \"%s\" has no version " INT64_FORMAT, table_name, version),
			 errdetail_internal("version=" INT64_FORMAT " current_version=" INT64_FORMAT,
								version, current_version)));
}

static void
refuse_stuck(const Awaited *awaited, const MirrorPosition *position)
{
	ereport(ERROR,
			(deltatx_condition(DTX_MIRROR_FAILURE, awaited->table.table_name),
			 errmsg("mirror of table \"%s\" is %s: %s", awaited->table.table_name,
					position->state, position->last_error ? position->last_error : ""),
			 errdetail_internal("state=%s version=" INT64_FORMAT " mirrored_version=" INT64_FORMAT "%s%s",
								position->state, awaited->version, position->mirrored_version,
								position->object ? " object=" : "",
								position->object ? position->object : ""),
			 errhint("See view deltatx.mirror; when the cause is removed, run deltatx_retry().")));
}

/* deltatx_pause(table_name text, server text) returns int */
Datum
deltatx_pause(PG_FUNCTION_ARGS)
{
	return on_tables(fcinfo, "deltatx_pause", pause_tables);
}

static int64
pause_tables(Datum table_ids)
{
	return deltatx_mirror_set_paused(table_ids, true);
}

/* deltatx_resume(table_name text, server text) returns int */
Datum
deltatx_resume(PG_FUNCTION_ARGS)
{
	return on_tables(fcinfo, "deltatx_resume", resume_tables);
}

static int64
resume_tables(Datum table_ids)
{
	return deltatx_mirror_set_paused(table_ids, false);
}

/* deltatx_retry(table_name text, server text) returns int */
Datum
deltatx_retry(PG_FUNCTION_ARGS)
{
	return on_tables(fcinfo, "deltatx_retry", deltatx_mirror_retry_now);
}

/* Act on what the arguments name, a table or those of a server, of all that the user may use. */
static Datum
on_tables(FunctionCallInfo fcinfo, const char *function, TablesAction action)
{
	char	   *table_name = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *server = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	CatalogScope scope;
	int64		affected;

	deltatx_require_writable(function);
	if (server != NULL)
		(void) get_foreign_server_oid(server, false);

	deltatx_scope_enter(&scope);
	affected = action(usable_tables(table_name, server, scope.user));
	deltatx_scope_leave(&scope);

	deltatx_mirror_wake_at_commit();
	PG_RETURN_INT32((int32) affected);
}

/* Their ids, as bigint[]. */
static Datum
usable_tables(const char *table_name, const char *server, Oid user)
{
	List	   *tables = deltatx_mirror_tables(table_name);
	int64	   *table_ids = palloc(sizeof(int64) * Max(list_length(tables), 1));
	int			n = 0;
	ListCell   *cell;

	if (table_name != NULL && tables == NIL)
		deltatx_rights_refuse_missing(table_name);

	foreach(cell, tables)
	{
		MirrorTable *table = lfirst(cell);

		if (table_name != NULL)
			deltatx_rights_require(table->owner_name, user, table_name);
		if (is_meant(table, server, user))
			table_ids[n++] = table->table_id;
	}
	return deltatx_int8_array(table_ids, n);
}

/* server: NULL for any. */
static bool
is_meant(const MirrorTable *table, const char *server, Oid user)
{
	if (server != NULL && (table->server_name == NULL || strcmp(table->server_name, server) != 0))
		return false;
	return deltatx_rights_has(table->owner_name, user);
}

static void
require_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/* deltatx.worker_status(OUT worker_pid int, OUT heartbeat timestamptz, OUT doing text) */
Datum
deltatx_worker_status(PG_FUNCTION_ARGS)
{
	TupleDesc	descriptor;
	WorkerStatus status;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	if (deltatx_is_preloaded() && deltatx_shared_worker_status(MyDatabaseId, &status))
	{
		values[0] = Int32GetDatum(status.pid);
		values[1] = TimestampTzGetDatum(status.heartbeat);
		values[2] = CStringGetTextDatum(status.doing);
		memset(nulls, false, sizeof(nulls));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* deltatx.library_version() returns text */
Datum
deltatx_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(DELTATX_VERSION));
}
