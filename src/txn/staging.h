/*-------------------------------------------------------------------------
 *
 * staging.h
 *	  Take a document of actions for one table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STAGING_H
#define DELTATX_STAGING_H

#include "catalog/tables.h"
#include "txn/session.h"

typedef struct StageRequest
{
	const char *table_name;
	StageMode	mode;
	int64		read_version;	/* NO_VERSION: not given */
	int64		expected_version;	/* NO_VERSION: not given */
	bool		extend;
	Jsonb	   *partition_filter;	/* NULL: none */
	char	   *operation;		/* NULL: none */
	char	   *operation_parameters;	/* JSON object; NULL: none */
	List	   *enforced;		/* of char * */

	/* The document: exactly one of them. */
	const char *text;
	size_t		text_length;
	Jsonb	   *jsonb;
} StageRequest;

/* Stage it in the open transaction; returns how many actions it had. */
extern int64 deltatx_staging_stage(const StageRequest *request);

/*
 * Stage control actions that deltatx made itself, as the first call for a
 * table; either may be NULL.  The caller has checked them.
 */
extern void deltatx_staging_stage_controls(const TableRef *table, MetadataAction *metadata,
										   ProtocolAction *protocol, const char *operation,
										   const char *operation_parameters);

/* The same in a transaction that was committed before: remembers the content, for commit to compare. */
extern void deltatx_staging_replay_controls(const char *table_name, const char *operation,
											const char *operation_parameters);

/* The table; TableNotFound, PermissionDenied. */
extern TableRef *deltatx_usable_table(const char *table_name, Oid user);

/* The same for what makes a commit: also the refusals of the table's state. */
extern TableRef *deltatx_staging_table(const char *table_name, Oid user);

/* The name a mode has in SQL; InvalidAction for others. */
extern StageMode deltatx_stage_mode(const char *name, const char *table_name);

#endif							/* DELTATX_STAGING_H */
