/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  Idempotency keys and application versions.
 *
 * A job that lost the answer to its COMMIT tries again under the same key, and
 * may do so while its first attempt still runs.  So a key is a row, inserted
 * at begin: the unique index makes the second attempt wait for the end of the
 * first.  If that one committed, the row is there and tells what it did; if it
 * aborted, the row is gone and the second one has the key.  The row goes with
 * the transaction that took it, whatever happens to it: there is nothing to
 * clean up after a crash.
 *
 * Under REPEATABLE READ and above, PostgreSQL raises 40001 instead of showing
 * us a row that our snapshot doesn't have.  A retry then finds it.
 *
 * Keys are scoped by role, so that a job can neither learn nor block the keys
 * of others.
 *
 * An application version is replayed also when the role committed a later one
 * of that application.  Then there may be no row of the very version to wait
 * for: two attempts at different versions run side by side, and the conflict
 * rules of the tables decide (ConcurrentTransaction).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "catalog/keys.h"
#include "catalog/scope.h"

static CatalogPlan take_key = {
	"INSERT INTO deltatx.dl_idempotency_keys (role_name, idempotency_key, transaction_id, taken_at)"
	" VALUES ($1, $2, $3, pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING",
	3, {TEXTOID, TEXTOID, UUIDOID}
};

static CatalogPlan select_key = {
	"SELECT transaction_id, fingerprint FROM deltatx.dl_idempotency_keys"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND idempotency_key OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, TEXTOID}
};

static CatalogPlan finish_key = {
	"UPDATE deltatx.dl_idempotency_keys SET fingerprint = $3"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND idempotency_key OPERATOR(pg_catalog.=) $2",
	3, {TEXTOID, TEXTOID, BYTEAOID}
};

static CatalogPlan release_key = {
	"DELETE FROM deltatx.dl_idempotency_keys"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND idempotency_key OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, TEXTOID}
};

static CatalogPlan take_app_version = {
	"INSERT INTO deltatx.dl_app_transactions (role_name, app_id, app_version, transaction_id)"
	" VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
	4, {TEXTOID, TEXTOID, INT8OID, UUIDOID}
};

/* The first transaction at or past the version, other than our own. */
static CatalogPlan select_app_version = {
	"SELECT transaction_id, fingerprint, app_version FROM deltatx.dl_app_transactions"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND app_id OPERATOR(pg_catalog.=) $2"
	" AND app_version OPERATOR(pg_catalog.>=) $3 AND transaction_id OPERATOR(pg_catalog.<>) $4"
	" ORDER BY app_version LIMIT 1",
	4, {TEXTOID, TEXTOID, INT8OID, UUIDOID}
};

static CatalogPlan finish_app_version = {
	"UPDATE deltatx.dl_app_transactions SET fingerprint = $4"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND app_id OPERATOR(pg_catalog.=) $2"
	" AND app_version OPERATOR(pg_catalog.=) $3",
	4, {TEXTOID, TEXTOID, INT8OID, BYTEAOID}
};

static CatalogPlan release_app_version = {
	"DELETE FROM deltatx.dl_app_transactions"
	" WHERE role_name OPERATOR(pg_catalog.=) $1 AND app_id OPERATOR(pg_catalog.=) $2"
	" AND app_version OPERATOR(pg_catalog.=) $3",
	3, {TEXTOID, TEXTOID, INT8OID}
};

/* The wait is the caller's own, and so is its lock_timeout. */
static const char *const timeout_hint =
"An earlier attempt at the same work is still running; retry, or raise lock_timeout.";

static void read_holder(KeyHolder *holder);
static Datum fingerprint_datum(const uint8 *fingerprint);

bool
deltatx_key_take(const char *role_name, const char *key, const pg_uuid_t *transaction_id,
				 KeyHolder *holder)
{
	Datum		args[3] = {
		deltatx_text_datum(role_name), deltatx_text_datum(key), UUIDPGetDatum(transaction_id)
	};

	/* Once around per holder that aborted or released between our two statements. */
	while (deltatx_plan_execute_waiting(&take_key, args, NULL, timeout_hint) == 0)
	{
		if (deltatx_plan_execute(&select_key, args, NULL) > 0)
		{
			read_holder(holder);
			return false;
		}
	}
	return true;
}

bool
deltatx_app_version_take(const char *role_name, const char *app_id, int64 app_version,
						 const pg_uuid_t *transaction_id, KeyHolder *holder)
{
	Datum		args[4] = {
		deltatx_text_datum(role_name), deltatx_text_datum(app_id), Int64GetDatum(app_version),
		UUIDPGetDatum(transaction_id)
	};

	/* Taking it first waits for a concurrent holder of the same version. */
	(void) deltatx_plan_execute_waiting(&take_app_version, args, NULL, timeout_hint);
	if (deltatx_plan_execute(&select_app_version, args, NULL) == 0)
		return true;

	read_holder(holder);
	if (deltatx_result_int64(SPI_tuptable->vals[0], 3) != app_version)
	{
		/* A later version says nothing about the content of this one. */
		holder->has_fingerprint = false;
		(void) deltatx_plan_execute(&release_app_version, args, NULL);
	}
	return false;
}

void
deltatx_keys_finish(const char *role_name, const char *key, const char *app_id,
					int64 app_version, const uint8 *fingerprint)
{
	Datum		role = deltatx_text_datum(role_name);
	Datum		print = fingerprint_datum(fingerprint);

	if (key != NULL)
		(void) deltatx_plan_execute(&finish_key, (Datum[])
									{
										role, deltatx_text_datum(key), print
									}, NULL);
	if (app_id != NULL)
		(void) deltatx_plan_execute(&finish_app_version, (Datum[])
									{
										role, deltatx_text_datum(app_id), Int64GetDatum(app_version), print
									}, NULL);
}

void
deltatx_keys_release(const char *role_name, const char *key, const char *app_id,
					 int64 app_version)
{
	Datum		role = deltatx_text_datum(role_name);

	if (key != NULL)
		(void) deltatx_plan_execute(&release_key, (Datum[])
									{
										role, deltatx_text_datum(key)
									}, NULL);
	if (app_id != NULL)
		(void) deltatx_plan_execute(&release_app_version, (Datum[])
									{
										role, deltatx_text_datum(app_id), Int64GetDatum(app_version)
									}, NULL);
}

static void
read_holder(KeyHolder *holder)
{
	HeapTuple	row = SPI_tuptable->vals[0];
	bool		isnull;
	Datum		value;

	value = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull);
	holder->transaction_id = *DatumGetUUIDP(value);

	value = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull);
	holder->has_fingerprint = !isnull;
	if (!isnull)
		memcpy(holder->fingerprint, VARDATA_ANY(DatumGetByteaPP(value)), PG_SHA256_DIGEST_LENGTH);
}

static Datum
fingerprint_datum(const uint8 *fingerprint)
{
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(result), fingerprint, PG_SHA256_DIGEST_LENGTH);
	return PointerGetDatum(result);
}
