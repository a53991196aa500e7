/*-------------------------------------------------------------------------
 *
 * types.h
 *	  Delta types: how they are made, named and checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SCHEMA_TYPES_H
#define DELTATX_SCHEMA_TYPES_H

#include "schema/shape.h"

#define DELTA_MAX_PRECISION		38

/* Structs, arrays and maps within each other. */
#define SCHEMA_MAX_DEPTH		32

extern DeltaType *deltatx_type_make(DeltaTypeKind kind);
extern DeltaType *deltatx_type_decimal(int precision, int scale);
extern DeltaType *deltatx_type_sized_string(const char *name, int length);	/* "char" or "varchar" */
extern DeltaType *deltatx_type_array(DeltaType *element);
extern DeltaType *deltatx_type_map(DeltaType *key, DeltaType *value);
extern DeltaType *deltatx_type_copy(const DeltaType *type);
extern DeltaSchema *deltatx_schema_copy(const DeltaSchema *schema);

/* Struct, array, map and variant aren't atomic: no partition column has such a type. */
extern bool deltatx_type_is_atomic(const DeltaType *type);

/* A primitive's name in a schemaString; false when there is none of that name. */
extern bool deltatx_type_kind_named(const char *name, DeltaTypeKind *kind);

/*
 * Metadata of a column made by us: its comment, and what Spark needs to know
 * of a char or varchar.  comment may be NULL.
 */
extern char *deltatx_field_metadata(const DeltaType *type, const char *comment);

/*
 * Names, nesting and emptiness, whatever the schema was made from.  field is
 * what it was made from, for the error.
 */
extern void deltatx_schema_check(const DeltaSchema *schema, const char *field,
								 const DocumentPlace *place);

/* The key that tells whether two names are the same to engines that ignore case. */
extern char *deltatx_name_folded(const char *name);

/* "parent.name"; parent NULL: the name itself.  For messages. */
extern char *deltatx_column_path(const char *parent, const char *name);

/* like.c: the columns of a relation, as the current user may see them. */
extern DeltaSchema *deltatx_schema_like(const char *relation, const DocumentPlace *place);

#endif							/* DELTATX_SCHEMA_TYPES_H */
