/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  SQL functions: begin, commit, validate, roll back, and what is open.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/args.h"
#include "api/results.h"
#include "catalog/arrays.h"
#include "txn/begin.h"
#include "txn/commit.h"
#include "txn/isolation.h"

PG_FUNCTION_INFO_V1(deltatx_begin);
PG_FUNCTION_INFO_V1(deltatx_validate);
PG_FUNCTION_INFO_V1(deltatx_commit);
PG_FUNCTION_INFO_V1(deltatx_rollback);
PG_FUNCTION_INFO_V1(deltatx_transaction_id);
PG_FUNCTION_INFO_V1(deltatx_replayed);
PG_FUNCTION_INFO_V1(deltatx_staged_commits);

static void check_application(const BeginOptions *options);
static bool on_replay_is_error(const char *on_replay);

PGDLLEXPORT Datum
deltatx_begin(PG_FUNCTION_ARGS)
{
	char	   *isolation = deltatx_arg_text(fcinfo, 0);
	BeginOptions options = {
		.isolation = isolation == NULL ? -1 : (int) deltatx_isolation_parse(isolation),
		.timeout = deltatx_arg_milliseconds(fcinfo, 1, "timeout", -1),
		.idempotency_key = deltatx_arg_text(fcinfo, 2),
		.operation = deltatx_arg_text(fcinfo, 3),
		.user_metadata = deltatx_arg_text(fcinfo, 4),
		.app_id = deltatx_arg_text(fcinfo, 5),
		.app_version = deltatx_arg_int64(fcinfo, 6, -1),
	};

	check_application(&options);
	if (!PG_ARGISNULL(7) && PG_GETARG_INT32(7) != 0)
		deltatx_arg_refuse("priority", NULL);
	PG_RETURN_UUID_P(deltatx_begin_transaction(&options,
											   on_replay_is_error(deltatx_arg_text(fcinfo, 8))));
}

PGDLLEXPORT Datum
deltatx_validate(PG_FUNCTION_ARGS)
{
	deltatx_require_writable("deltatx_validate");
	deltatx_commit_validate();
	PG_RETURN_VOID();
}

PGDLLEXPORT Datum
deltatx_commit(PG_FUNCTION_ARGS)
{
	VersionRow *rows;
	bool		replayed;
	int			n;

	deltatx_require_writable("deltatx_commit");
	n = deltatx_commit_transaction(&rows, &replayed);
	deltatx_return_versions(fcinfo, rows, n, replayed);
	return (Datum) 0;
}

PGDLLEXPORT Datum
deltatx_rollback(PG_FUNCTION_ARGS)
{
	deltatx_require_writable("deltatx_rollback");
	deltatx_commit_rollback();
	PG_RETURN_VOID();
}

PGDLLEXPORT Datum
deltatx_transaction_id(PG_FUNCTION_ARGS)
{
	OpenTransaction *transaction = deltatx_session_current();
	pg_uuid_t  *id;

	if (transaction == NULL)
		PG_RETURN_NULL();
	id = palloc(sizeof(pg_uuid_t));
	*id = transaction->id;
	PG_RETURN_UUID_P(id);
}

PGDLLEXPORT Datum
deltatx_replayed(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(deltatx_session_require("deltatx_replayed")->replayed);
}

/* Internal: what views must leave out of the live set. */
PGDLLEXPORT Datum
deltatx_staged_commits(PG_FUNCTION_ARGS)
{
	int64	   *commit_ids = NULL;
	int			n = deltatx_session_staged_commits(&commit_ids);

	PG_RETURN_DATUM(deltatx_int8_array(commit_ids, n));
}

static void
check_application(const BeginOptions *options)
{
	DocumentPlace place = {DTX_INVALID_ACTION};

	if ((options->app_id == NULL) != (options->app_version < 0))
		deltatx_refuse(&place, "app_id", "Give both or neither; app_version is 0 or more.",
					   "app_id and app_version belong together");
	if (options->app_id != NULL && options->app_id[0] == '\0')
		deltatx_refuse(&place, "app_id", NULL, "app_id is empty");
	if (options->idempotency_key != NULL &&
		(options->idempotency_key[0] == '\0' || strlen(options->idempotency_key) > 1024))
		deltatx_refuse(&place, "idempotency_key", "Use 1 to 1024 bytes.",
					   "idempotency_key is empty or too long");
}

static bool
on_replay_is_error(const char *on_replay)
{
	if (on_replay == NULL || strcmp(on_replay, "return") == 0)
		return false;
	if (strcmp(on_replay, "error") == 0)
		return true;
	deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION}, "on_replay",
				   "Use 'return' or 'error'.", "unknown on_replay \"%s\"", on_replay);
}
