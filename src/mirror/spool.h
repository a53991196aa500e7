/*-------------------------------------------------------------------------
 *
 * spool.h
 *	  The bytes of a commit file, between the catalog and the store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SPOOL_H
#define DELTATX_SPOOL_H

#include "catalog/mirror_queue.h"
#include "store/store.h"

typedef struct Spool Spool;

/*
 * Make the commit file of a version.  In a transaction, inside a catalog
 * scope; the result outlives the transaction, in the current memory context.
 */
extern Spool *deltatx_spool_build(int64 table_id, int64 version);
extern const FileProof *deltatx_spool_proof(const Spool *spool);

/* The bytes, for a store. */
extern StoreBody deltatx_spool_body(Spool *spool, DeltaTimestamp stamp);

/* Memory goes with its context, a temporary file only by this. */
extern void deltatx_spool_close(Spool *spool);

#endif							/* DELTATX_SPOOL_H */
