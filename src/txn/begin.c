/*-------------------------------------------------------------------------
 *
 * begin.c
 *	  Open a deltatx transaction.
 *
 * Keys are taken here, before anything else of the transaction: a job that
 * repeats itself learns so before it has read or written anything, its
 * ordinary rows included, and no lock is held yet while it waits for the
 * attempt that came before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "catalog/keys.h"
#include "catalog/scope.h"
#include "txn/begin.h"
#include "txn/uuid7.h"

static void refuse_nested(const OpenTransaction *transaction);
static bool take_keys(const BeginOptions *options, const pg_uuid_t *id, KeyHolder *holder);

pg_uuid_t *
deltatx_begin_transaction(const BeginOptions *given, bool replay_is_error)
{
	BeginOptions options = *given;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	KeyHolder	holder;
	bool		taken;

	deltatx_require_writable("deltatx_begin");
	refuse_nested(deltatx_session_current());

	deltatx_uuid_new(id);
	options.role_name = GetUserNameFromId(GetUserId(), false);
	taken = take_keys(&options, id, &holder);
	if (!taken && replay_is_error)
		ereport(ERROR,
				(deltatx_condition(DTX_ALREADY_COMMITTED, NULL),
				 errmsg("this idempotency key or app_version was committed before"),
				 errdetail_internal("transaction=%s", deltatx_uuid_text(&holder.transaction_id)),
				 errhint("Leave out on_replay to get the first result instead.")));

	deltatx_session_log_begin(id, &options, taken ? NULL : &holder);
	return id;
}

static void
refuse_nested(const OpenTransaction *transaction)
{
	if (transaction == NULL)
		return;
	ereport(ERROR,
			(deltatx_condition(DTX_TRANSACTION_OPEN, NULL),
			 errmsg("a deltatx transaction is already open"),
			 errdetail_internal("transaction=%s", deltatx_uuid_text(&transaction->id)),
			 errhint("Call deltatx_commit() or deltatx_rollback() first; use savepoints to take back a part.")));
}

/* True when the transaction has all keys that it asks for; else none. */
static bool
take_keys(const BeginOptions *options, const pg_uuid_t *id, KeyHolder *holder)
{
	CatalogScope scope;
	bool		taken = true;

	if (options->idempotency_key == NULL && options->app_id == NULL)
		return true;

	deltatx_scope_enter(&scope);
	if (options->idempotency_key != NULL)
		taken = deltatx_key_take(options->role_name, options->idempotency_key, id, holder);
	if (taken && options->app_id != NULL)
	{
		taken = deltatx_app_version_take(options->role_name, options->app_id,
										 options->app_version, id, holder);
		if (!taken)
			deltatx_keys_release(options->role_name, options->idempotency_key, NULL, 0);
	}
	deltatx_scope_leave(&scope);
	return taken;
}
