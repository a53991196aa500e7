/*-------------------------------------------------------------------------
 *
 * notify.h
 *	  NOTIFY about what the worker does with versions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_NOTIFY_H
#define DELTATX_NOTIFY_H

#include "catalog/mirror_queue.h"

/*
 * Tell who listens, once the current transaction commits, that a version was
 * committed, or published.  Nothing while deltatx.notify is off.
 */
extern void deltatx_notify_commit(const QueuedVersion *version);
extern void deltatx_notify_mirrored(const QueuedVersion *version);

#endif							/* DELTATX_NOTIFY_H */
