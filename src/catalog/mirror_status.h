/*-------------------------------------------------------------------------
 *
 * mirror_status.h
 *	  What sessions ask about the mirror, and tell it.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_MIRROR_STATUS_H
#define DELTATX_MIRROR_STATUS_H

#include "nodes/pg_list.h"
#include "utils/uuid.h"

/* A table, as far as rights on it go. */
typedef struct MirrorTable
{
	int64		table_id;
	char	   *table_name;
	char	   *owner_name;
	char	   *server_name;	/* NULL: a bare file: location */
} MirrorTable;

/* How far a version of a table is. */
typedef struct MirrorPosition
{
	int64		current_version;
	int64		mirrored_version;
	bool		is_own;			/* the version is the current transaction's: not committed yet */
	bool		is_stuck;		/* nothing happens without somebody's help, or for a long time */
	char	   *state;
	char	   *last_error;		/* NULL: none */
	char	   *object;			/* NULL: none */
} MirrorPosition;

/* One table of a transaction. */
typedef struct MirrorParticipant
{
	MirrorTable table;
	int64		version;
} MirrorParticipant;

/*
 * Of MirrorTable *: those of that name, or all when it is NULL.  Dropped ones
 * are among them until they are cleared away, and come before the one that is
 * not dropped.
 */
extern List *deltatx_mirror_tables(const char *table_name);

/* Of MirrorParticipant *; NIL when there is no such transaction. */
extern List *deltatx_mirror_participants(const pg_uuid_t *transaction_id);

/* False: the table is gone, cleared away after all was published. */
extern bool deltatx_mirror_position(int64 table_id, int64 version, MirrorPosition *position);

/*
 * Find the first of these tables that has as many unpublished versions as the
 * limit; false: none.  As it is now, whatever snapshot the transaction has.
 */
extern bool deltatx_mirror_first_behind(const int64 *table_ids, int n, int64 limit,
										int64 *table_id, int64 *backlog);

/* Return the number of tables for which that changed something. */
extern int64 deltatx_mirror_set_paused(Datum table_ids, bool paused);
extern int64 deltatx_mirror_retry_now(Datum table_ids);

#endif							/* DELTATX_MIRROR_STATUS_H */
