/*-------------------------------------------------------------------------
 *
 * tables.h
 *	  dl_tables, dl_table_heads and the shapes of tables.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_TABLES_H
#define DELTATX_TABLES_H

#include "schema/shape.h"

/* A table and its head, as the snapshot that read them has it. */
typedef struct TableRef
{
	int64		table_id;
	char	   *table_name;
	char	   *delta_id;
	char	   *location;
	char	   *owner_name;
	char	   *mirror_state;	/* dl_mirror_status.state */
	int64		current_version;
	DeltaTimestamp last_stamp;
	int64		num_files;
	int64		metadata_version;
	int64		protocol_version;
	int64		shape_commit_id;
} TableRef;

/* NULL when there is no such table. */
extern TableRef *deltatx_table_find(const char *table_name);

/*
 * The shape of a table at the versions that its head names.  Kept for the
 * life of the session; valid in this transaction, until the next call that
 * finds that the table has another one.
 */
extern const TableShape *deltatx_table_shape(const TableRef *table);

/* Forget them if they have become many; at the end of a transaction only. */
extern void deltatx_table_shapes_trim(void);

/* The same at an older version, in the current memory context. */
extern TableShape *deltatx_table_shape_at(int64 table_id, int64 version,
										  const char *table_name);

/* What dl_tables holds of a new table. */
typedef struct NewTable
{
	int64		table_id;
	const char *table_name;
	const char *delta_id;
	const char *location;
	const char *server_name;	/* NULL: a bare file: location */
	const char *owner_name;
} NewTable;

/*
 * Insert the table, without a head.  Waits for a concurrent creation of the
 * same name or an overlapping location; TableExists and LocationInUse.
 */
extern void deltatx_table_insert(const NewTable *table);

/* TableExists when new_name is taken. */
extern void deltatx_table_rename(int64 table_id, const char *new_name);
extern void deltatx_table_mark_dropped(int64 table_id);

extern int64 deltatx_next_table_id(void);
extern int64 deltatx_next_commit_id(void);

#endif							/* DELTATX_TABLES_H */
