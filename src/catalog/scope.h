/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  The privileged section in which the catalog is read and written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SCOPE_H
#define DELTATX_SCOPE_H

#include "executor/spi.h"

#define CATALOG_PLAN_MAX_ARGS	24

/* Saved state of the caller; lives on the caller's stack. */
typedef struct CatalogScope
{
	Oid			user;			/* who called: privileges are checked against it */
	int			security_context;
	int			guc_level;
} CatalogScope;

/*
 * Between enter and leave, SPI is connected and statements run as the
 * extension's owner with pinned settings.  An error in between needs no
 * clean-up: (sub)transaction abort restores everything.  Not reentrant;
 * nothing that users supply may run inside.
 */
extern void deltatx_scope_enter(CatalogScope *scope);

/*
 * The same for a STABLE function: all statements run in the snapshot of the
 * calling query, so that whatever it asks is answered as of one moment.
 */
extern void deltatx_scope_enter_reading(CatalogScope *scope);
extern void deltatx_scope_leave(CatalogScope *scope);

/*
 * OID of a table of the catalog, for what a session keeps: another one after
 * DROP and CREATE EXTENSION, whose sequences start anew.  Invalid where
 * deltatx is not created.
 */
extern Oid	deltatx_catalog_oid(void);

/*
 * One statement of the catalog, planned at first use and kept for the life of
 * the session.  Define it as a static variable:
 *
 *		static CatalogPlan lock_heads = {
 *			"SELECT ... WHERE table_id OPERATOR(pg_catalog.=) ANY ($1)",
 *			1, {INT8ARRAYOID}
 *		};
 *
 * All names and operators are qualified.  read_only: run in the snapshot of
 * the calling query instead of a new one; never right after waiting for a
 * lock.
 */
typedef struct CatalogPlan
{
	const char *sql;
	int			n_args;
	Oid			arg_types[CATALOG_PLAN_MAX_ARGS];
	bool		read_only;
	SPIPlanPtr	plan;
} CatalogPlan;

/*
 * Execute; results are in SPI_tuptable and SPI_processed.  nulls as in
 * SPI_execute_plan.  Errors unless the result is one that the statement's
 * kind can give.  Returns SPI_processed.
 */
extern uint64 deltatx_plan_execute(CatalogPlan *plan, Datum *values, const char *nulls);

/*
 * The same, for a statement that may wait for other transactions: gives
 * PostgreSQL's own errors about that (55P03, 40P01, 40001) our condition and
 * the table, which may be NULL.
 */
extern uint64 deltatx_plan_execute_waiting(CatalogPlan *plan, Datum *values,
										   const char *table_name, const char *timeout_hint);

/*
 * An item of FROM that is looked up by index for each row of what stands
 * before it.  OFFSET 0 keeps the planner from turning that around: it would
 * where statistics are of a time when a table was small, and the plan would
 * stay while the table grows.
 */
#define DELTATX_LOOKUP(select, alias) \
	" CROSS JOIN LATERAL (" select " OFFSET 0) " alias

/* The same as a cursor, for SPI_cursor_fetch. */
extern Portal deltatx_plan_open(CatalogPlan *plan, Datum *values);

/*
 * Columns of a result row, counted from 1.  Text is copied into the current
 * memory context, NULL for NULL; the int64 variants fail on NULL unless a
 * default is given.
 */
extern int64 deltatx_result_int64(HeapTuple row, int column);
extern int64 deltatx_result_int64_or(HeapTuple row, int column, int64 if_null);
extern int32 deltatx_result_int32(HeapTuple row, int column);
extern bool deltatx_result_bool(HeapTuple row, int column);
extern char *deltatx_result_text(HeapTuple row, int column);

/* A text Datum, and the nulls character for one that may be NULL. */
extern Datum deltatx_text_datum(const char *value);
#define DELTATX_NULL_IF(condition)	((condition) ? 'n' : ' ')

#endif							/* DELTATX_SCOPE_H */
