/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  Bounds on the size and age of a deltatx transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_LIMITS_H
#define DELTATX_LIMITS_H

#include "compat.h"
#include "txn/session.h"

/* TransactionTooOld when the transaction is past its time. */
extern void deltatx_limits_check_time(const OpenTransaction *transaction);

/* When it will be past its time; DT_NOEND: never. */
extern TimestampTz deltatx_limits_deadline(const OpenTransaction *transaction);

/* TooManyTables when n_tables are more than a transaction may write. */
extern void deltatx_limits_check_tables(int n_tables, const char *table_name);

/*
 * How many more file actions may be staged for a table, and how many more
 * actions in all, given what is staged.  INT64_MAX: no limit.
 */
extern int64 deltatx_limits_files_left(const StagedTable *table);
extern int64 deltatx_limits_actions_left(const OpenTransaction *transaction);

/* Raise what passing one of them means. */
extern void deltatx_limits_refuse_files(const char *table_name) pg_attribute_noreturn();
extern void deltatx_limits_refuse_actions(const char *table_name) pg_attribute_noreturn();

/* The sum of file sizes, which must not run over, whatever is claimed: InvalidAction. */
extern int64 deltatx_limits_add_bytes(int64 a, int64 b, const char *table_name);

#endif							/* DELTATX_LIMITS_H */
