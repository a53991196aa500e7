/*-------------------------------------------------------------------------
 *
 * define.h
 *	  Create, alter, rename and drop tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_DEFINE_H
#define DELTATX_DEFINE_H

#include "txn/session.h"

typedef struct TableDefinition
{
	const char *table_name;
	const char *location;
	const char *columns;
	List	   *partition_columns;	/* of char * */
	Jsonb	   *properties;		/* NULL: none */
	char	   *description;	/* NULL: none */
} TableDefinition;

/* Create the table with its version 0; returns metaData.id, in the current memory context. */
extern pg_uuid_t *deltatx_define_create(const TableDefinition *definition);

typedef struct TableChange
{
	const char *table_name;
	const char *add_columns;	/* NULL: none */
	Jsonb	   *set_properties; /* NULL: none */
	List	   *unset_properties;	/* of char * */
	char	   *description;	/* NULL: as it is */
} TableChange;

/* Returns the new version; NO_VERSION when it is staged in the open transaction. */
extern int64 deltatx_define_alter(const TableChange *change);

extern void deltatx_define_rename(const char *table_name, const char *new_name);
extern void deltatx_define_drop(const char *table_name);

#endif							/* DELTATX_DEFINE_H */
