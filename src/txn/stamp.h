/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  Commit timestamps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STAMP_H
#define DELTATX_STAMP_H

#include "port/atomics.h"

#include "action/action.h"

/*
 * Choose the timestamp that all versions of a transaction share.  newest is
 * the newest stamp of all tables that it writes or has read, whose heads the
 * caller has locked.  Inside a catalog scope.  A bound of the stamp stays
 * announced until the transaction ends.
 */
extern DeltaTimestamp deltatx_stamp_choose(DeltaTimestamp newest);

/*
 * Worker: a time such that every transaction stamped up to it is visible by
 * now, or never will be.
 */
extern DeltaTimestamp deltatx_stamp_horizon(void);

/* Where the floor of stamps is, in shared memory. */
extern void deltatx_stamp_attach(pg_atomic_uint64 *shared_floor);

/* To and from PostgreSQL's timestamps; milliseconds are cut down. */
extern DeltaTimestamp deltatx_stamp_of_timestamptz(int64 timestamp);
extern int64 deltatx_stamp_to_timestamptz(DeltaTimestamp stamp);

#endif							/* DELTATX_STAMP_H */
