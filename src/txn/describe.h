/*-------------------------------------------------------------------------
 *
 * describe.h
 *	  What commitInfo and deltatx_history say about a version.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_DESCRIBE_H
#define DELTATX_DESCRIBE_H

#include "catalog/versions.h"
#include "txn/session.h"

/*
 * Fill in operation, its parameters and metrics, user metadata and tags: what
 * the call said, then what its commitInfo said, then what deltatx_begin said,
 * then what the actions show.  The counts are set already.
 */
extern void deltatx_describe_version(const OpenTransaction *transaction,
									 const StagedTable *table, NewVersion *version);

#endif							/* DELTATX_DESCRIBE_H */
