/*-------------------------------------------------------------------------
 *
 * scope.c
 *	  The privileged section in which the catalog is read and written.
 *
 * Users may not touch the catalog's tables, so what we run there runs as the
 * extension's owner.  Two dangers come with that.  First, anything that the
 * caller can influence could run with the owner's rights: so search_path is
 * pinned, every name is qualified, and the security-restricted context keeps
 * code that runs by accident (an index expression, a trigger somebody added)
 * from changing the session.  Second, the caller's planner settings could
 * turn a look-up into a scan of a million rows: so plans are generic, made
 * without sequential scans, and kept.  Under SERIALIZABLE a sequential scan of
 * a small catalog table would also conflict with every commit, whatever its
 * table.
 *
 * Statistics could do the same.  They are most often those of an empty table
 * when a session makes its plans, and a transaction that stages a million
 * files gets no newer ones.  So the statements themselves say in what order
 * things are looked up, see DELTATX_LOOKUP.
 *
 * The pinned search_path stays the same string for every plan, or the plan
 * cache would parse each statement anew whenever it changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "catalog/scope.h"
#include "errors.h"

/*
 * What leads to the plans that the statements mean.  memoize and jit are off
 * because setting them up costs more than our statements do.
 */
static const struct
{
	const char *name;
	bool	   *current;
	bool		value;
}			plan_settings[] =
{
	{"enable_seqscan", &enable_seqscan, false},
	{"enable_memoize", &enable_memoize, false},
	{"jit", &jit_enabled, false},
	{"enable_indexscan", &enable_indexscan, true},
	{"enable_tidscan", &enable_tidscan, true},
	{"enable_nestloop", &enable_nestloop, true},
	{"enable_sort", &enable_sort, true},
};

/* Whether we are in a reading scope; tells nothing outside of a scope. */
static bool reading;

static void enter(CatalogScope *scope);
static bool in_snapshot_at_hand(const CatalogPlan *plan);
static SPIPlanPtr saved_plan(CatalogPlan *plan);
static Datum required_value(HeapTuple row, int column);
static Oid	catalog_owner(void);
static void pin(const char *name, const char *value);
static void rethrow_as_ours(ErrorData *error, const char *table_name,
							const char *timeout_hint) pg_attribute_noreturn();

void
deltatx_scope_enter(CatalogScope *scope)
{
	reading = false;
	enter(scope);
}

void
deltatx_scope_enter_reading(CatalogScope *scope)
{
	reading = true;
	enter(scope);
}

static void
enter(CatalogScope *scope)
{
	Oid			owner = catalog_owner();

	GetUserIdAndSecContext(&scope->user, &scope->security_context);
	SetUserIdAndSecContext(owner, scope->security_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);

	scope->guc_level = NewGUCNestLevel();
	pin("search_path", "pg_catalog, pg_temp");
	for (int i = 0; i < lengthof(plan_settings); i++)
		if (*plan_settings[i].current != plan_settings[i].value)
			pin(plan_settings[i].name, plan_settings[i].value ? "on" : "off");

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
deltatx_scope_leave(CatalogScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");

	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security_context);
}

Oid
deltatx_catalog_oid(void)
{
	Oid			schema = get_namespace_oid("deltatx", true);

	return OidIsValid(schema) ? get_relname_relid("dl_table_heads", schema) : InvalidOid;
}

/*
 * SPI returns in a memory context of its own, which SPI_finish() deletes: what
 * the caller allocates next must go where he thinks it goes.
 */
uint64
deltatx_plan_execute(CatalogPlan *plan, Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result = SPI_execute_plan(saved_plan(plan), values, nulls,
										  in_snapshot_at_hand(plan), 0);

	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "catalog statement failed: %s: %s",
			 SPI_result_code_string(result), plan->sql);
	return SPI_processed;
}

uint64
deltatx_plan_execute_waiting(CatalogPlan *plan, Datum *values, const char *table_name,
							 const char *timeout_hint)
{
	MemoryContext context = CurrentMemoryContext;
	uint64		rows = 0;

	PG_TRY();
	{
		rows = deltatx_plan_execute(plan, values, NULL);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		rethrow_as_ours(CopyErrorData(), table_name, timeout_hint);
	}
	PG_END_TRY();
	return rows;
}

Portal
deltatx_plan_open(CatalogPlan *plan, Datum *values)
{
	MemoryContext caller = CurrentMemoryContext;
	Portal		cursor = SPI_cursor_open(NULL, saved_plan(plan), values, NULL,
										 in_snapshot_at_hand(plan));

	MemoryContextSwitchTo(caller);
	return cursor;
}

/*
 * No command can start in parallel mode, where a reading function may be
 * called; nothing can have changed there either, so the snapshot at hand does.
 */
static bool
in_snapshot_at_hand(const CatalogPlan *plan)
{
	return reading || plan->read_only || IsInParallelMode();
}

static SPIPlanPtr
saved_plan(CatalogPlan *plan)
{
	SPIPlanPtr	prepared;

	if (plan->plan != NULL)
		return plan->plan;

	prepared = SPI_prepare_cursor(plan->sql, plan->n_args, plan->arg_types,
								  CURSOR_OPT_GENERIC_PLAN);
	if (prepared == NULL || SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not prepare catalog statement: %s: %s",
			 SPI_result_code_string(SPI_result), plan->sql);
	plan->plan = prepared;
	return prepared;
}

int64
deltatx_result_int64(HeapTuple row, int column)
{
	return DatumGetInt64(required_value(row, column));
}

int64
deltatx_result_int64_or(HeapTuple row, int column, int64 if_null)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? if_null : DatumGetInt64(value);
}

int32
deltatx_result_int32(HeapTuple row, int column)
{
	return DatumGetInt32(required_value(row, column));
}

bool
deltatx_result_bool(HeapTuple row, int column)
{
	return DatumGetBool(required_value(row, column));
}

char *
deltatx_result_text(HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

Datum
deltatx_text_datum(const char *value)
{
	return value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

/* What PostgreSQL says of a wait that ended badly, as a condition of ours. */
static void
rethrow_as_ours(ErrorData *error, const char *table_name, const char *timeout_hint)
{
	DtxCondition condition = DTX_CONDITION_COUNT;

	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		condition = DTX_LOCK_TIMEOUT;
	else if (error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED)
		condition = DTX_DEADLOCK;
	else if (error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE)
		condition = DTX_SERIALIZATION_FAILURE;

	if (condition != DTX_CONDITION_COUNT)
	{
		error->constraint_name = pstrdup(deltatx_condition_name(condition));
		if (table_name != NULL)
			error->table_name = pstrdup(table_name);
	}
	if (condition == DTX_LOCK_TIMEOUT && error->hint == NULL)
		error->hint = pstrdup(timeout_hint);
	ReThrowError(error);
}

static Datum
required_value(HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		elog(ERROR, "unexpected NULL in column %d of a catalog row", column);
	return value;
}

/* The owner of the catalog's tables: whoever ran CREATE EXTENSION. */
static Oid
catalog_owner(void)
{
	Oid			relation = deltatx_catalog_oid();
	HeapTuple	tuple;
	Oid			owner;

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"deltatx\" does not exist in this database"),
				 errhint("Run CREATE EXTENSION deltatx.")));

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}
