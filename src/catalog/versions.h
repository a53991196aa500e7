/*-------------------------------------------------------------------------
 *
 * versions.h
 *	  Versions and transactions as they are committed, and the mirror's queue.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_VERSIONS_H
#define DELTATX_VERSIONS_H

#include "utils/uuid.h"

#include "action/action.h"

typedef struct NewVersion
{
	int64		table_id;
	int64		version;
	int64		commit_id;
	const char *delta_id;
	const char *operation;
	const char *operation_parameters;	/* NULL: none */
	const char *operation_metrics;	/* NULL: none */
	const char *user_metadata;	/* NULL: none */
	const char *tags;			/* NULL: none */
	int64		read_version;	/* -1: none */
	const char *isolation;
	bool		is_blind_append;
	int64		files_added;
	int64		files_removed;
	int64		bytes_added;
	int64		bytes_removed;
	int64		controls;		/* metaData, protocol, txn and domainMetadata actions */
} NewVersion;

/* What the versions of a transaction share. */
typedef struct NewTransaction
{
	pg_uuid_t	id;
	DeltaTimestamp stamp;
	const char *user_name;
	const char *isolation;
	int			n_reads;		/* tables that were only read */
	const int64 *read_table_ids;
	const int64 *read_versions;
} NewTransaction;

/* Insert versions, their transaction, and queue them for the mirror. */
extern void deltatx_versions_insert(const NewTransaction *transaction,
									const NewVersion *versions, int n);

/* A committed version, for results and errors. */
typedef struct VersionRow
{
	char	   *table_name;
	int64		version;
	int64		files_added;
	int64		files_removed;
	DeltaTimestamp stamp;
} VersionRow;

/* The versions of a committed transaction, by table name; in the current memory context. */
extern int	deltatx_versions_of_transaction(const pg_uuid_t *id, VersionRow **rows);

/*
 * The version of a table that was current at a time, -1 before version 0; a
 * version that exists at most as new as the head.
 */
extern int64 deltatx_version_at(int64 table_id, DeltaTimestamp time);

/* The operation of a version, in the current memory context; NULL: no such version. */
extern char *deltatx_version_operation(int64 table_id, int64 version);

#endif							/* DELTATX_VERSIONS_H */
