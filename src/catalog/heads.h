/*-------------------------------------------------------------------------
 *
 * heads.h
 *	  The commit locks of tables, and what is read and written under them.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_HEADS_H
#define DELTATX_HEADS_H

#include "action/action.h"

typedef enum HeadLock
{
	HEAD_WRITE,					/* FOR NO KEY UPDATE */
	HEAD_READ,					/* FOR SHARE */
	HEAD_DROP,					/* FOR UPDATE */
	HEAD_NO_LOCK				/* only look */
} HeadLock;

typedef struct TableHead
{
	int64		table_id;
	HeadLock	lock;			/* in: how to lock it */
	bool		found;			/* false: dropped meanwhile */
	int64		current_version;
	DeltaTimestamp last_stamp;
	int64		num_files;
	int64		num_bytes;
	int64		metadata_version;
	int64		protocol_version;
	int64		shape_commit_id;
} TableHead;

/*
 * Lock the heads, which are sorted by table_id here, and fill in what they
 * hold once they are locked.  Errors of PostgreSQL's at the lock (timeout,
 * deadlock, serialization failure) get our condition names; table_name is for
 * their message, NULL when there are several tables.
 */
extern void deltatx_heads_lock(TableHead *heads, int n, const char *table_name);

/* Write back the heads of HEAD_WRITE that were changed in memory. */
extern void deltatx_heads_bump(const TableHead *heads, int n);
extern void deltatx_head_insert(const TableHead *head);

/*
 * The first table, by table_id, that takes no commits: -1 when all do.  *state
 * gets its mirror's state, or "dropped".
 */
extern int64 deltatx_heads_first_refused(const int64 *table_ids, int n, char **state);

#endif							/* DELTATX_HEADS_H */
