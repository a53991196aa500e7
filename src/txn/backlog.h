/*-------------------------------------------------------------------------
 *
 * backlog.h
 *	  Keep commits from running away from the mirror.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_BACKLOG_H
#define DELTATX_BACKLOG_H

#include "txn/session.h"

/*
 * To be called before the commit of a transaction takes locks, and outside of
 * a catalog scope.  As deltatx.mirror_backlog_action says: warns, waits, or
 * raises BacklogFull, when a table that was staged has
 * deltatx.max_mirror_backlog unpublished versions.
 */
extern void deltatx_backlog_heed(OpenTransaction *transaction);

#endif							/* DELTATX_BACKLOG_H */
