/*-------------------------------------------------------------------------
 *
 * horizon.h
 *	  Worker: move the horizon, and keep the cut's manifest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_HORIZON_H
#define DELTATX_HORIZON_H

#include "datatype/timestamp.h"

#include "action/action.h"

/* How often a worker moves the horizon, and looks at the cut, by itself. */
#define HORIZON_INTERVAL_MS	1000

/* A version of that stamp was recorded as published. */
extern void deltatx_horizon_published(DeltaTimestamp stamp);

/* Do what is due or asked for; *due becomes when the next is, if that is earlier. */
extern void deltatx_horizon_round(TimestampTz *due);

/* manifest.c */

/* The cut may be another than that of the last round. */
extern void deltatx_manifest_changed(void);
extern bool deltatx_manifest_is_due(void);
extern void deltatx_manifest_round(void);

#endif							/* DELTATX_HORIZON_H */
