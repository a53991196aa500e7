/*-------------------------------------------------------------------------
 *
 * stats.h
 *	  Statistics of data files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STATS_H
#define DELTATX_STATS_H

#include "action/json_reader.h"
#include "schema/shape.h"

/* Check that they are a JSON object; returns numRecords, -1 when it isn't there. */
extern int64 deltatx_stats_num_records(const char *stats, const DocumentPlace *place);

/* Refuse files that say themselves that they hold nulls in NOT NULL columns. */
extern void deltatx_stats_check_not_null(const char *stats, const DeltaSchema *schema,
										 const DocumentPlace *place);

#endif							/* DELTATX_STATS_H */
