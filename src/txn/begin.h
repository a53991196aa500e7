/*-------------------------------------------------------------------------
 *
 * begin.h
 *	  Open a deltatx transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_BEGIN_H
#define DELTATX_BEGIN_H

#include "txn/session.h"

/*
 * Open one and take its idempotency key and application version, waiting for
 * a concurrent holder's end.  role_name of the options is filled in here.
 * replay_is_error: AlreadyCommitted instead of a replay.  The result is
 * allocated in the current memory context.
 */
extern pg_uuid_t *deltatx_begin_transaction(const BeginOptions *options, bool replay_is_error);

#endif							/* DELTATX_BEGIN_H */
