/*-------------------------------------------------------------------------
 *
 * files.h
 *	  File actions: adds, removes and the live set.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_FILES_H
#define DELTATX_FILES_H

#include "action/action.h"

/* Rows of a batch: more are not faster, and cost memory. */
#define FILE_BATCH_ROWS		1000

/* A batch of file actions of one kind, with their ordinals from first_ord on. */
typedef struct FileBatch
{
	int64		table_id;
	int64		commit_id;
	int32		first_ord;
	int			n;
	FileAction *actions[FILE_BATCH_ROWS];
	int64		positions[FILE_BATCH_ROWS];
} FileBatch;

/* Insert the adds of a batch, staged to join the live set. */
extern void deltatx_adds_insert(const FileBatch *batch);

/* A file of the live set, or staged to join it, that a batch names. */
typedef struct LiveMatch
{
	int			index;			/* into the batch */
	int64		commit_id;		/* of its add */
	int32		ord;			/* of its add */
	int64		size;
	char	   *dv_id;			/* NULL: none */
} LiveMatch;

/* All of them; *matches is allocated in the current memory context. */
extern int	deltatx_files_match(const FileBatch *batch, LiveMatch **matches);

/*
 * Insert removes of n files, with ordinals from first_ord on.  removes: the
 * actions, in the same order; NULL with superseded: these are no actions of
 * the log, since the commit itself adds the files again.
 */
extern void deltatx_removes_insert(int64 commit_id, int32 first_ord, const LiveMatch *files,
								   FileAction *const *removes, int n, bool superseded);

/* Under the head's lock: take the files that explicit removes name out of the live set. */
extern int64 deltatx_removes_apply(int64 table_id, int64 commit_id);

/*
 * Under the head's lock: remove every other live file, with ordinals from
 * first_ord on.  Returns how many; *bytes gets their size.
 */
extern int64 deltatx_removes_all(int64 table_id, int64 commit_id, int32 first_ord, int64 *bytes);

/* The same for the live files in partitions that filter matches. */
extern int64 deltatx_removes_matching(int64 table_id, int64 commit_id, int32 first_ord,
									  const PartitionFilter *filter, int64 *bytes);

/* The same for the live files in the partitions of the commit's own adds. */
extern int64 deltatx_removes_of_partitions(int64 table_id, int64 commit_id, int32 first_ord,
										   const struct TableShape *shape, int64 *bytes);

/*
 * A path that the commit adds and that a version after the given one has
 * added, too; NULL when there is none.
 */
extern char *deltatx_adds_first_duplicate(int64 table_id, int64 commit_id, int64 after_version);

/*
 * A file that the commit removes and that a version after the given one has
 * removed before it; NULL when there is none.  *winner gets that version.
 */
extern char *deltatx_removes_first_gone(int64 table_id, int64 commit_id, int64 after_version,
										int64 *winner);

/* A file that the commit removes more than once; NULL when there is none. */
extern char *deltatx_removes_first_twice(int64 commit_id);

/* Delete all files that are staged under a commit. */
extern void deltatx_files_unstage(int64 table_id, int64 commit_id);

#endif							/* DELTATX_FILES_H */
