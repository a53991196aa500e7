/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Inside a database's worker: its transactions, and its rounds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_WORKER_H
#define DELTATX_WORKER_H

#include "catalog/scope.h"

/*
 * A transaction of the worker, with a catalog scope.  Begin does not return
 * when the extension is gone.  The caller's memory context is current within.
 */
extern void deltatx_worker_begin(CatalogScope *scope);
extern void deltatx_worker_commit(CatalogScope *scope);

/* What the worker is at, for status, pg_stat_activity and error context. */
extern void deltatx_worker_doing(const char *format,...) pg_attribute_printf(1, 2);

/* publish.c */

/* Publish what is due; true: look again at once.  Else *due is when, DT_NOEND: when woken. */
extern bool deltatx_publish_round(TimestampTz *due);

/* sweep.c */

/* Delete something of what dropped tables have left; true: there is more. */
extern bool deltatx_sweep_round(void);

#endif							/* DELTATX_WORKER_H */
