/*-------------------------------------------------------------------------
 *
 * mirror_drop.h
 *	  Clear away what dropped tables have left.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_MIRROR_DROP_H
#define DELTATX_MIRROR_DROP_H

/* A dropped table that is fully published and not paused; false: none. */
extern bool deltatx_dropped_find(int64 *table_id, char **table_name);

/* Delete a bounded number of its rows; true: that was all, and the table is gone. */
extern bool deltatx_dropped_delete(int64 table_id);

#endif							/* DELTATX_MIRROR_DROP_H */
