/*-------------------------------------------------------------------------
 *
 * keys.h
 *	  Idempotency keys and application versions.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_KEYS_H
#define DELTATX_KEYS_H

#include "common/sha2.h"
#include "utils/uuid.h"

/* What a key or an application version stands for. */
typedef struct KeyHolder
{
	pg_uuid_t	transaction_id;
	bool		has_fingerprint;
	uint8		fingerprint[PG_SHA256_DIGEST_LENGTH];
} KeyHolder;

/*
 * Take a key for a transaction: true when it was free.  Waits for the end of
 * a concurrent holder.  When it was committed before: false, and *holder
 * tells of the transaction that did.
 */
extern bool deltatx_key_take(const char *role_name, const char *key,
							 const pg_uuid_t *transaction_id, KeyHolder *holder);

/*
 * The same for an application version, which is taken, too, when the role has
 * committed a later one.
 */
extern bool deltatx_app_version_take(const char *role_name, const char *app_id, int64 app_version,
									 const pg_uuid_t *transaction_id, KeyHolder *holder);

/* Record what was committed under them; NULL: not given. */
extern void deltatx_keys_finish(const char *role_name, const char *key, const char *app_id,
								int64 app_version, const uint8 *fingerprint);

/* Give them back, by the transaction that took them. */
extern void deltatx_keys_release(const char *role_name, const char *key, const char *app_id,
								 int64 app_version);

#endif							/* DELTATX_KEYS_H */
