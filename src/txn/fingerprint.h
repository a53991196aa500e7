/*-------------------------------------------------------------------------
 *
 * fingerprint.h
 *	  What a transaction's content comes down to, for idempotency.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_FINGERPRINT_H
#define DELTATX_FINGERPRINT_H

#include "txn/session.h"

typedef struct Fingerprint Fingerprint;

/* A running digest of one call's actions. */
extern Fingerprint *deltatx_fingerprint_start(StageMode mode, const char *partition_filter);
extern void deltatx_fingerprint_add(Fingerprint *fingerprint, const Action *action);
extern void deltatx_fingerprint_finish(Fingerprint *fingerprint, uint8 *digest);

/* The digest of a change by deltatx_alter_table, as it describes itself. */
extern void deltatx_fingerprint_of_change(const char *operation, const char *parameters,
										  uint8 *digest);

/* The digest of all that a transaction has staged. */
extern void deltatx_fingerprint_of(const OpenTransaction *transaction, uint8 *digest);

#endif							/* DELTATX_FINGERPRINT_H */
