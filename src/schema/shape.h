/*-------------------------------------------------------------------------
 *
 * shape.h
 *	  What a table looks like: its schema, partitioning, properties, protocol.
 *
 * A TableShape is built from a metaData and a protocol action, the two that
 * say everything that validation needs to know of a table.  It is immutable.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SHAPE_H
#define DELTATX_SHAPE_H

#include "action/action.h"

typedef enum DeltaTypeKind
{
	DELTA_STRING,
	DELTA_LONG,
	DELTA_INTEGER,
	DELTA_SHORT,
	DELTA_BYTE,
	DELTA_FLOAT,
	DELTA_DOUBLE,
	DELTA_DECIMAL,
	DELTA_BOOLEAN,
	DELTA_BINARY,
	DELTA_DATE,
	DELTA_TIMESTAMP,
	DELTA_TIMESTAMP_NTZ,
	DELTA_VARIANT,
	DELTA_STRUCT,
	DELTA_ARRAY,
	DELTA_MAP
} DeltaTypeKind;

typedef struct DeltaField DeltaField;
typedef struct DeltaType DeltaType;

typedef struct DeltaSchema
{
	int			nfields;
	DeltaField *fields;
} DeltaSchema;

struct DeltaType
{
	DeltaTypeKind kind;
	int			precision;		/* decimal */
	int			scale;			/* decimal */
	DeltaSchema fields;			/* struct */
	DeltaType  *element;		/* array's element, map's value */
	DeltaType  *key;			/* map */
	bool		contains_null;	/* array, map */
	char	   *declared;		/* string: "char(n)" or "varchar(n)" where a column
								 * list or LIKE said so; NULL otherwise */
};

struct DeltaField
{
	char	   *name;
	DeltaType  *type;
	bool		nullable;
	char	   *metadata;		/* compact JSON object, "{}" */
};

typedef struct TableShape
{
	MetadataAction metadata;
	ProtocolAction protocol;
	DeltaSchema *schema;
	int			n_partition_columns;
	DeltaField **partition_columns; /* in metaData's order */

	/* Properties that commits must know, with the protocol's defaults applied. */
	bool		append_only;
	bool		deletion_vectors;	/* new ones are allowed */
	bool		fence;			/* deltatx.fence */
} TableShape;

/*----------
 * schema.c: schemaString to DeltaSchema and back.
 *----------
 */

/* Raises place->condition for anything that isn't a legal schema, UnsupportedFeature for types we refuse. */
extern DeltaSchema *deltatx_schema_parse(const char *schema_string,
										 const DocumentPlace *place);
extern char *deltatx_schema_to_string(const DeltaSchema *schema);
extern const char *deltatx_type_to_string(const DeltaType *type);	/* "decimal(10,2)", "array<string>" */

/*----------
 * columns.c: the columns argument of deltatx_create_table and alter_table.
 *----------
 */

/*
 * A SQL column list, 'LIKE relation', or a Delta schemaString (first
 * character '{').  LIKE needs SELECT on the relation and must be called
 * as the user, outside of any privileged section.
 */
extern DeltaSchema *deltatx_schema_from_columns(const char *columns,
												const DocumentPlace *place);

/*----------
 * features.c: table features, see docs/features.md.
 *----------
 */

/*
 * The protocol of a new table: reader 1 (3 only where a column or property
 * needs a reader feature), writer 7, the fence unless it was turned off.
 */
extern ProtocolAction *deltatx_protocol_for(const DeltaSchema *schema,
											const List *configuration);

/*
 * Like the above, but keeps all that the old protocol lists.  NULL when the
 * old protocol is enough.
 */
extern ProtocolAction *deltatx_protocol_extended(const ProtocolAction *old,
												 const DeltaSchema *schema,
												 const List *configuration);

/*
 * The lists are well formed, else place->condition; every feature listed, or
 * implied by a version below 7, is one that this version honours, else
 * UnsupportedFeature, naming it.
 */
extern void deltatx_protocol_check(const ProtocolAction *protocol,
								   const DocumentPlace *place);

/*
 * A staged protocol may add features that we honour, drop none, lower nothing.
 */
extern void deltatx_protocol_check_change(const ProtocolAction *old, const ProtocolAction *new,
										  const DocumentPlace *place);

/*
 * New files in a table whose schema or properties use row-level features
 * (checkConstraints, generatedColumns, ...) need the caller to vouch for
 * them; enforced: list of char * of feature names.  Raises UnsupportedFeature,
 * and place->condition for a name in enforced that isn't such a feature.
 */
extern void deltatx_features_check_enforced(const TableShape *shape,
											const List *enforced,
											const DocumentPlace *place);

/*----------
 * properties.c: table properties.
 *----------
 */

/* Check names and values of Delta's and our own properties; unknown delta.* ones are refused. */
extern void deltatx_properties_check(const List *configuration,
									 const DocumentPlace *place);
extern const char *deltatx_property(const List *configuration, const char *key);	/* NULL: not set */
extern List *deltatx_properties_from_jsonb(Jsonb *properties, const DocumentPlace *place);

/*----------
 * shape.c
 *----------
 */

/*
 * Everything is copied into the current memory context.  Raises
 * place->condition where schema and partitioning don't fit together, and
 * UnsupportedFeature where they need a feature that this version refuses.
 * Doesn't check properties' names and values, nor the protocol itself: what
 * was accepted once must go on being readable.
 */
extern TableShape *deltatx_shape_build(const MetadataAction *metadata,
									   const ProtocolAction *protocol,
									   const DocumentPlace *place);

/*
 * May the table go from one shape to the other?  No column silently dropped,
 * no type changed, none made NOT NULL while there are files, partition
 * columns, table id and format fixed; properties that are new or have changed
 * pass deltatx_properties_check; the protocol lists the features that schema
 * and properties use, else UnsupportedFeature.
 */
extern void deltatx_shape_check_change(const TableShape *old, const TableShape *new,
									   bool has_files, const DocumentPlace *place);

#endif							/* DELTATX_SHAPE_H */
