/*-------------------------------------------------------------------------
 *
 * backlog.c
 *	  Keep commits from running away from the mirror.
 *
 * A table's versions are published one after the other, some tens a second on
 * a distant store, while the catalog takes thousands.  Where readers' delay
 * matters more than writers' speed, a setting bounds what may be unpublished.
 *
 * A commit looks before it locks anything: who waits must not keep others from
 * the tables that he has.  So two commits at once may both find room for one
 * version, and the bound is passed by as many as commit at the same time.  To
 * look again under the locks would only turn a wait into an error.
 * Creating and altering a table on its own isn't held up: nobody does that in a
 * loop.
 *
 * What is waited for is the worker, which takes no lock that a committer could
 * hold: nobody waits in a circle.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "catalog/mirror_status.h"
#include "catalog/scope.h"
#include "deltatx.h"
#include "mirror/shared.h"
#include "txn/backlog.h"
#include "txn/limits.h"

/* A worker that can't tell us of its progress, having crashed. */
#define LOOK_AGAIN_MS	1000

/* A table that has too many unpublished versions. */
typedef struct TableBehind
{
	const char *table_name;
	int64		backlog;
} TableBehind;

static bool find_behind(OpenTransaction *transaction, TableBehind *behind);
static void wait_until_published(OpenTransaction *transaction, TableBehind *behind);
static void report(int elevel, const TableBehind *behind);

void
deltatx_backlog_heed(OpenTransaction *transaction)
{
	TableBehind behind;

	if (deltatx_max_mirror_backlog == 0 || transaction->tables == NIL ||
		!find_behind(transaction, &behind))
		return;

	if (deltatx_mirror_backlog_action == BACKLOG_WAIT)
		wait_until_published(transaction, &behind);
	else
		report(deltatx_mirror_backlog_action == BACKLOG_ERROR ? ERROR : WARNING, &behind);
}

static bool
find_behind(OpenTransaction *transaction, TableBehind *behind)
{
	int			n = list_length(transaction->tables);
	int64	   *ids = palloc(sizeof(int64) * n);
	CatalogScope scope;
	int64		table_id;
	bool		found;
	ListCell   *cell;

	foreach(cell, transaction->tables)
		ids[foreach_current_index(cell)] = ((StagedTable *) lfirst(cell))->sum.table_id;

	deltatx_scope_enter(&scope);
	found = deltatx_mirror_first_behind(ids, n, deltatx_max_mirror_backlog, &table_id, &behind->backlog);
	deltatx_scope_leave(&scope);

	if (found)
		behind->table_name = deltatx_session_table(transaction, table_id)->sum.table_name;
	pfree(ids);
	return found;
}

static void
wait_until_published(OpenTransaction *transaction, TableBehind *behind)
{
	TimestampTz deadline = deltatx_limits_deadline(transaction);

	deltatx_shared_prepare_wait();
	while (find_behind(transaction, behind))
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			report(ERROR, behind);
		deltatx_shared_wait_progress(Min(left, LOOK_AGAIN_MS));
	}
	deltatx_shared_end_wait();
}

static void
report(int elevel, const TableBehind *behind)
{
	ereport(elevel,
			(deltatx_condition(DTX_BACKLOG_FULL, behind->table_name),
			 errmsg("table \"%s\" has " INT64_FORMAT " unpublished versions",
					behind->table_name, behind->backlog),
			 errdetail_internal("backlog=" INT64_FORMAT " limit=%d",
								behind->backlog, deltatx_max_mirror_backlog),
			 errhint("See view deltatx.mirror for what keeps them; commit less often, or raise deltatx.max_mirror_backlog.")));
}
