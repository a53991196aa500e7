/*-------------------------------------------------------------------------
 *
 * limits.c
 *	  Bounds on the size and age of a deltatx transaction.
 *
 * A job that goes wrong must not fill the catalog or hold a table's commit
 * lock for hours.  Each limit is a setting that its user may change within
 * the ceiling that a superuser set; 0 means none.  Files that overwrite
 * removes don't count: nobody listed them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"

#include "txn/limits.h"

static int	time_limit(const OpenTransaction *transaction);
static int	effective(int setting, int ceiling);
static int64 left(int limit, int64 used);

TimestampTz
deltatx_limits_deadline(const OpenTransaction *transaction)
{
	int			limit = time_limit(transaction);

	return limit == 0 ? DT_NOEND : TimestampTzPlusMilliseconds(transaction->begun_at, limit);
}

void
deltatx_limits_check_time(const OpenTransaction *transaction)
{
	int			limit = time_limit(transaction);

	if (limit == 0 ||
		!TimestampDifferenceExceeds(transaction->begun_at, GetCurrentTimestamp(), limit))
		return;

	ereport(ERROR,
			(deltatx_condition(DTX_TRANSACTION_TOO_OLD, NULL),
			 errmsg("deltatx transaction is older than %d ms", limit),
			 errdetail_internal("limit=%d", limit),
			 errhint("Stage faster, or raise deltatx.transaction_timeout or the timeout of deltatx_begin().")));
}

static int
time_limit(const OpenTransaction *transaction)
{
	int			wanted = transaction->options.timeout >= 0 ?
		transaction->options.timeout : deltatx_transaction_timeout;

	return effective(wanted, deltatx_limit_ceiling_timeout);
}

void
deltatx_limits_check_tables(int n_tables, const char *table_name)
{
	int			limit = effective(deltatx_max_tables_per_transaction,
								  deltatx_limit_ceiling_tables);

	if (limit == 0 || n_tables <= limit)
		return;

	ereport(ERROR,
			(deltatx_condition(DTX_TOO_MANY_TABLES, table_name),
			 errmsg("deltatx transaction writes more than %d tables", limit),
			 errdetail_internal("limit=%d", limit),
			 errhint("Raise deltatx.max_tables_per_transaction, or use several transactions.")));
}

int64
deltatx_limits_files_left(const StagedTable *table)
{
	return left(effective(deltatx_max_files_per_table, deltatx_limit_ceiling_files),
				table == NULL ? 0 : table->sum.adds + table->sum.removes);
}

int64
deltatx_limits_actions_left(const OpenTransaction *transaction)
{
	return left(effective(deltatx_max_actions_per_transaction, deltatx_limit_ceiling_actions),
				transaction->actions);
}

void
deltatx_limits_refuse_files(const char *table_name)
{
	int			limit = effective(deltatx_max_files_per_table, deltatx_limit_ceiling_files);

	ereport(ERROR,
			(deltatx_condition(DTX_TABLE_TRANSACTION_TOO_LARGE, table_name),
			 errmsg("more than %d file actions for table \"%s\" in one transaction",
					limit, table_name),
			 errdetail_internal("limit=%d", limit),
			 errhint("Raise deltatx.max_files_per_table, or use several transactions.")));
}

void
deltatx_limits_refuse_actions(const char *table_name)
{
	int			limit = effective(deltatx_max_actions_per_transaction,
								  deltatx_limit_ceiling_actions);

	ereport(ERROR,
			(deltatx_condition(DTX_TRANSACTION_TOO_LARGE, table_name),
			 errmsg("more than %d actions in one transaction", limit),
			 errdetail_internal("limit=%d", limit),
			 errhint("Raise deltatx.max_actions_per_transaction, or use several transactions.")));
}

int64
deltatx_limits_add_bytes(int64 a, int64 b, const char *table_name)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, "size",
					   "Give the true sizes of the files.",
					   "the sizes of the files add up to more than 64 bits hold");
	return sum;
}

/* 0 is no limit, in either. */
static int
effective(int setting, int ceiling)
{
	if (ceiling == 0)
		return setting;
	return setting == 0 ? ceiling : Min(setting, ceiling);
}

static int64
left(int limit, int64 used)
{
	return limit == 0 ? PG_INT64_MAX : Max(0, limit - used);
}
