/*-------------------------------------------------------------------------
 *
 * rights.h
 *	  Who may use a table, and when.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_RIGHTS_H
#define DELTATX_RIGHTS_H

#include "compat.h"

/* Whether a role may use what owner_name owns: it is a member of that role. */
extern bool deltatx_rights_has(const char *owner_name, Oid role);

/* PermissionDenied unless it may. */
extern void deltatx_rights_require(const char *owner_name, Oid role, const char *table_name);

/* TableNotFound. */
extern void deltatx_rights_refuse_missing(const char *table_name) pg_attribute_noreturn();

/* VersionNotFound: the table has versions up to current only. */
extern void deltatx_rights_refuse_version(const char *table_name, int64 version, int64 current)
			pg_attribute_noreturn();

/* TableHeld, TableImporting, TableFollowed, LogDiverged where the mirror's state refuses commits. */
extern void deltatx_rights_refuse_state(const char *table_name, const char *mirror_state);

/*
 * Check the spelling of a new table's name: one to three parts joined by
 * dots.  Raises InvalidDefinition.
 */
extern void deltatx_rights_check_name(const char *table_name);

#endif							/* DELTATX_RIGHTS_H */
