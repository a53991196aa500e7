/*-------------------------------------------------------------------------
 *
 * results.h
 *	  Row sets that SQL functions return.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_RESULTS_H
#define DELTATX_RESULTS_H

#include "fmgr.h"

#include "catalog/versions.h"

/* The result of deltatx_commit and deltatx_commit_batch. */
extern void deltatx_return_versions(FunctionCallInfo fcinfo, const VersionRow *rows, int n,
									bool replayed);

#endif							/* DELTATX_RESULTS_H */
