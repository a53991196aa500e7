/*-------------------------------------------------------------------------
 *
 * mirror_queue.h
 *	  The mirror's tables: what waits to be published, what was claimed, how
 *	  far each table is.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_MIRROR_QUEUE_H
#define DELTATX_MIRROR_QUEUE_H

#include "common/sha2.h"
#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "action/action.h"

/* What a version's commit file is: proof, kept from before the first attempt to publish it. */
typedef struct FileProof
{
	int64		length;
	uint8		sha256[PG_SHA256_DIGEST_LENGTH];
} FileProof;

/* A version whose turn it is. */
typedef struct QueuedVersion
{
	int64		table_id;
	int64		version;
	DeltaTimestamp stamp;
	int64		current_version;	/* the table's head */
	char	   *table_name;
	char	   *location;
	char	   *transaction_id;
	char	   *state;			/* of the table, before this attempt */
	int			attempts;		/* failed ones of this version so far */
	char	   *owner_name;
	char	   *server_name;	/* NULL: a bare file: location */
	FileProof  *claimed;		/* NULL: not yet */
} QueuedVersion;

/* A failed attempt. */
typedef struct MirrorFailure
{
	int64		table_id;
	const char *state;			/* retrying, failed, diverged */
	int			attempts;		/* including this one */
	TimestampTz next_attempt_at;	/* DT_NOEND: not by itself */
	const char *error_class;	/* transient, permanent, diverged */
	const char *last_error;
	const char *object;			/* URI; NULL: none concerned */
} MirrorFailure;

/*
 * The next versions to publish, of QueuedVersion *, in the current memory
 * context: transaction by transaction in the order of their stamps, which is by version within each
 * table.  Leaves out tables that are paused, diverged or not due again yet.
 */
extern List *deltatx_queue_next(int max_versions);

/* When the first table that waits for its next attempt is due; DT_NOEND: none waits. */
extern TimestampTz deltatx_queue_next_attempt(void);

/* Note what is about to be published; proofs[i] is that of versions[i]. */
extern void deltatx_queue_claim(QueuedVersion *const *versions, const FileProof *const *proofs, int n);

/*
 * Note versions as published, at these times, in the order of deltatx_queue_next;
 * and that an attempt failed.  The worker never waits for a user's transaction:
 * a table whose status row somebody else has locked is left as it is, and its
 * versions are found published in a later round.  recorded[i]: whether
 * versions[i] was noted.  Return the number of tables.
 */
extern uint64 deltatx_queue_record(QueuedVersion *const *versions, const TimestampTz *at, int n,
								   bool *recorded);
extern uint64 deltatx_queue_record_failure(const MirrorFailure *failure);

/* Give up what a table has queued; returns how many versions. */
extern int64 deltatx_queue_discard(int64 table_id);

#endif							/* DELTATX_MIRROR_QUEUE_H */
