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

/* A file that a batch names and that is live: by index into the batch. */
typedef struct LiveMatch
{
	int			index;
	int64		commit_id;
	int32		ord;
	int64		size;
	char	   *dv_id;			/* NULL: none */
} LiveMatch;

/*
 * Which files of the batch are in the live set, or staged to join it under
 * the batch's own commit_id (only when own is true; then only those).  The
 * result is in the current memory context.
 */
extern int	deltatx_files_match(const FileBatch *batch, bool own, LiveMatch **matches);

/*
 * Insert removes of a batch, each of the match with the same index;
 * superseded: they are no actions of the log, since the commit adds the file
 * again.
 */
extern void deltatx_removes_insert(const FileBatch *batch, const LiveMatch *matches,
								   int n_matches, bool superseded);

/* Under the head's lock: take the files that explicit removes name out of the live set. */
extern int64 deltatx_removes_apply(int64 table_id, int64 commit_id);

/*
 * Under the head's lock: remove every other live file, with ordinals from
 * first_ord on.  Returns how many; *bytes gets their size.
 */
extern int64 deltatx_removes_all(int64 table_id, int64 commit_id, int32 first_ord, int64 *bytes);

/* The same for the live files in partitions that filter matches. */
struct PartitionFilter;
extern int64 deltatx_removes_matching(int64 table_id, int64 commit_id, int32 first_ord,
									  const struct PartitionFilter *filter, int64 *bytes);

/* The same for the live files in the partitions of the commit's own adds. */
struct TableShape;
extern int64 deltatx_removes_of_partitions(int64 table_id, int64 commit_id, int32 first_ord,
										   const struct TableShape *shape, int64 *bytes);

/*
 * A path that the commit adds and that is live under another commit, neither
 * removed by this one: NULL when there is none.  after_version: look only at
 * what versions after it added.
 */
extern char *deltatx_adds_first_duplicate(int64 table_id, int64 commit_id, int64 after_version);

/*
 * A file that an explicit remove of the commit names and that is no longer
 * live; NULL when there is none.  *winner gets the version that removed it.
 */
extern char *deltatx_removes_first_gone(int64 table_id, int64 commit_id, int64 *winner);

/* Delete everything staged under the commits. */
extern void deltatx_files_unstage(const int64 *table_ids, const int64 *commit_ids, int n);

#endif							/* DELTATX_FILES_H */
