/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  Commit timestamps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STAMP_H
#define DELTATX_STAMP_H

#include "action/action.h"

/*
 * Choose the timestamp that all versions of a transaction share.  newest is
 * the newest stamp of all tables that it writes or has read, whose heads the
 * caller has locked.
 */
extern DeltaTimestamp deltatx_stamp_choose(DeltaTimestamp newest);

/* To and from PostgreSQL's timestamps; milliseconds are cut down. */
extern DeltaTimestamp deltatx_stamp_of_timestamptz(int64 timestamp);
extern int64 deltatx_stamp_to_timestamptz(DeltaTimestamp stamp);

#endif							/* DELTATX_STAMP_H */
