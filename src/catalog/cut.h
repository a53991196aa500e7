/*-------------------------------------------------------------------------
 *
 * cut.h
 *	  The consistent cut: the horizon, the watermark, and the versions at it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CUT_H
#define DELTATX_CUT_H

#include "action/action.h"

/*
 * Fourth field of the advisory locks that announce lower bounds of stamps,
 * see txn/stamp.c: above core's 1 and 2, positive as int2.
 */
#define STAMP_LOCK_CLASS	0x0D71

/* No horizon, no watermark yet; all stamps are above. */
#define NO_STAMP	INT64CONST(-1)

/* A table in a cut. */
typedef struct CutTable
{
	char	   *table_name;
	char	   *location;
	char	   *delta_id;
	char	   *owner_name;
	int64		version;
	DeltaTimestamp stamp;		/* of that version */
} CutTable;

/* All of these inside a catalog scope. */

/* Every transaction stamped up to the horizon is visible to who sees the horizon. */
extern DeltaTimestamp deltatx_horizon_persisted(void);
extern void deltatx_horizon_persist(DeltaTimestamp horizon);

/* The newest stamp of any table. */
extern DeltaTimestamp deltatx_newest_stamp(void);

/*
 * Every transaction stamped up to the watermark is published in all of these
 * tables, or in all that there are when table_ids, a bigint[], is 0.
 */
extern DeltaTimestamp deltatx_watermark(Datum table_ids);

/* What holds the watermark back, for people and programs; NULL: nothing does. */
extern char *deltatx_watermark_held_by(void);

/*
 * Of CutTable *, by name: the newest version of each table that is stamped no
 * later than time, which is not above the tables' watermark.  A table that
 * didn't exist yet is not among them.
 */
extern List *deltatx_cut_at(Datum table_ids, DeltaTimestamp time);

#endif							/* DELTATX_CUT_H */
