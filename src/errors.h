/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  The conditions that a user of deltatx can meet.
 *
 * Every error carries a standard SQLSTATE, so that drivers and retry
 * middleware that never heard of us act rightly; our own condition name in
 * the constraint_name field; and the table in the table_name field.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_ERRORS_H
#define DELTATX_ERRORS_H

#include "compat.h"

typedef enum DtxCondition
{
	DTX_TABLE_NOT_FOUND,
	DTX_TABLE_EXISTS,
	DTX_LOCATION_IN_USE,
	DTX_NO_TRANSACTION,
	DTX_TRANSACTION_OPEN,
	DTX_NOT_FINISHED,
	DTX_ALREADY_STAGED,
	DTX_ALREADY_COMMITTED,
	DTX_EMPTY_ACTION_LIST,
	DTX_INVALID_ACTION,
	DTX_VERSION_NOT_FOUND,
	DTX_KEY_REUSED,
	DTX_UNSUPPORTED_FEATURE,
	DTX_MALFORMED_JSON,
	DTX_PERMISSION_DENIED,
	DTX_TABLE_HELD,
	DTX_TABLE_IMPORTING,
	DTX_TABLE_FOLLOWED,
	DTX_LOG_DIVERGED,
	DTX_NOT_PRELOADED,
	DTX_INVALID_DEFINITION,
	DTX_READ_ONLY_SERVER,
	DTX_VERSION_MISMATCH,
	DTX_CONCURRENT_DELETE_DELETE,
	DTX_METADATA_CHANGED,
	DTX_PROTOCOL_CHANGED,
	DTX_CONCURRENT_TRANSACTION,
	DTX_LOCK_TIMEOUT,
	DTX_TRANSACTION_TOO_OLD,
	DTX_TOO_MANY_TABLES,
	DTX_TRANSACTION_TOO_LARGE,
	DTX_TABLE_TRANSACTION_TOO_LARGE,
	DTX_DUPLICATE_FILE,
	DTX_FILE_NOT_FOUND,
	DTX_MIRROR_FAILURE,
	DTX_BACKLOG_FULL,
	DTX_DEADLOCK,
	DTX_SERIALIZATION_FAILURE,
	DTX_CONDITION_COUNT
} DtxCondition;

/*
 * Where in a document that a user gave us something is wrong.  Passed down to
 * whatever parses or checks a part of that document.
 */
typedef struct DocumentPlace
{
	DtxCondition condition;		/* what to raise, e.g. DTX_INVALID_ACTION */
	const char *table_name;		/* may be NULL where there is none yet */
	int64		position;		/* 1-based position of the action; 0: none */
	const char *action;			/* "add", "metaData", ...; NULL: none */
} DocumentPlace;

/*
 * In an ereport: sets SQLSTATE, condition name and table name.  table_name
 * may be NULL.
 */
extern int	deltatx_condition(DtxCondition condition, const char *table_name);

/* The condition's name as users see it, e.g. "TableNotFound". */
extern const char *deltatx_condition_name(DtxCondition condition);

/*
 * Refuse a document.  The primary message is prefixed with place and table,
 * DETAIL holds "action=3 kind=add field=size".  field and hint may be NULL;
 * the hint is a full sentence.
 */
extern void deltatx_refuse(const DocumentPlace *place, const char *field,
						   const char *hint, const char *format,...)
			pg_attribute_noreturn() pg_attribute_printf(4, 5);

#endif							/* DELTATX_ERRORS_H */
