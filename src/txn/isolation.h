/*-------------------------------------------------------------------------
 *
 * isolation.h
 *	  Isolation levels of deltatx transactions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_ISOLATION_H
#define DELTATX_ISOLATION_H

#include "schema/shape.h"
#include "txn/session.h"

/* Delta's spelling, as in commitInfo. */
extern const char *deltatx_isolation_name(IsolationLevel level);

/* A level from our spelling or Delta's; raises InvalidAction. */
extern IsolationLevel deltatx_isolation_parse(const char *name);

/* The level for a table: what deltatx_begin said, else the table, else the setting. */
extern IsolationLevel deltatx_isolation_of(const OpenTransaction *transaction,
										   const TableShape *shape);

#endif							/* DELTATX_ISOLATION_H */
