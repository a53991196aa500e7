/*-------------------------------------------------------------------------
 *
 * conflict.h
 *	  Whether a transaction may commit on top of the versions that won.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CONFLICT_H
#define DELTATX_CONFLICT_H

#include "postgres.h"

#include "compat.h"

/* What a transaction assumed about a table, and what the table is now. */
typedef struct ConflictInput
{
	const char *table_name;
	bool		writes;			/* false: the table was only read */
	int64		seen_version;	/* head when it was staged; writes only */
	int64		expected_version;	/* -1: any */
	int64		read_version;	/* oldest version that was read; -1: none declared */

	/* The head, locked. */
	int64		current_version;
	int64		metadata_version;
	int64		protocol_version;
} ConflictInput;

/* Raises ProtocolChanged, MetadataChanged or VersionMismatch. */
extern void deltatx_conflict_check(const ConflictInput *input);

/* Raise the conflicts that a look-up in the catalog has found. */
extern void deltatx_conflict_refuse_deleted(const char *table_name, const char *path,
											int64 winner) pg_attribute_noreturn();
extern void deltatx_conflict_refuse_application(const char *table_name, const char *app_id,
												int64 winner) pg_attribute_noreturn();
extern void deltatx_conflict_refuse_domain(const char *table_name, const char *domain,
										   int64 winner) pg_attribute_noreturn();
extern void deltatx_conflict_refuse_added(const char *table_name, const char *path)
			pg_attribute_noreturn();

#endif							/* DELTATX_CONFLICT_H */
