/*-------------------------------------------------------------------------
 *
 * commit.h
 *	  Commit, validate, roll back: the end of a deltatx transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_COMMIT_H
#define DELTATX_COMMIT_H

#include "catalog/versions.h"
#include "txn/session.h"

/*
 * Commit the open transaction.  Returns the number of versions that it made,
 * *rows gets them by table name, in the current memory context.  *replayed:
 * they are those of an earlier transaction.
 */
extern int	deltatx_commit_transaction(VersionRow **rows, bool *replayed);

/* All checks that need no lock, against the tables as they are now. */
extern void deltatx_commit_validate(void);

/* Take back all that was staged. */
extern void deltatx_commit_rollback(void);

#endif							/* DELTATX_COMMIT_H */
