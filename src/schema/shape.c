/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  A table's shape, built from its metaData and protocol actions.
 *
 * Shapes are cached by sessions, while the actions they come from live in
 * whatever context read them: so everything is copied.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "schema/features.h"
#include "schema/types.h"

static void check_features(const TableShape *shape, const DocumentPlace *place);
static void copy_metadata(MetadataAction *to, const MetadataAction *from);
static void copy_protocol(ProtocolAction *to, const ProtocolAction *from);
static char *copy_string(const char *string);
static void check_format(const MetadataAction *metadata, const DocumentPlace *place);
static void find_partition_columns(TableShape *shape, const DocumentPlace *place);
static DeltaField *partition_column(const TableShape *shape, const char *name,
									const DocumentPlace *place);
static bool property_is(const TableShape *shape, const char *key, const char *value);

TableShape *
deltatx_shape_build(const MetadataAction *metadata, const ProtocolAction *protocol,
					const DocumentPlace *place)
{
	TableShape *shape = palloc0(sizeof(TableShape));

	check_format(metadata, place);
	copy_metadata(&shape->metadata, metadata);
	copy_protocol(&shape->protocol, protocol);
	shape->schema = deltatx_schema_parse(metadata->schema_string, place);
	find_partition_columns(shape, place);
	check_features(shape, place);

	shape->append_only = property_is(shape, "delta.appendOnly", "true");
	shape->deletion_vectors = property_is(shape, "delta.enableDeletionVectors", "true");
	shape->fence = !property_is(shape, "deltatx.fence", "false");
	return shape;
}

/* In a context of its own: a shape is kept, what the check allocates is not. */
static void
check_features(const TableShape *shape, const DocumentPlace *place)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "deltatx table features",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	deltatx_features_check_supported(shape, place);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

static void
copy_metadata(MetadataAction *to, const MetadataAction *from)
{
	to->id = copy_string(from->id);
	to->name = copy_string(from->name);
	to->description = copy_string(from->description);
	to->format_provider = copy_string(from->format_provider);
	to->format_options = copy_string(from->format_options);
	to->schema_string = copy_string(from->schema_string);
	to->partition_columns = deltatx_names_copy(from->partition_columns);
	to->configuration = deltatx_properties_copy(from->configuration);
	to->created_time = from->created_time;
	to->extra = copy_string(from->extra);
}

static void
copy_protocol(ProtocolAction *to, const ProtocolAction *from)
{
	to->min_reader = from->min_reader;
	to->min_writer = from->min_writer;
	to->has_reader_features = from->has_reader_features;
	to->reader_features = deltatx_names_copy(from->reader_features);
	to->has_writer_features = from->has_writer_features;
	to->writer_features = deltatx_names_copy(from->writer_features);
	to->extra = copy_string(from->extra);
}

static char *
copy_string(const char *string)
{
	return string == NULL ? NULL : pstrdup(string);
}

static void
check_format(const MetadataAction *metadata, const DocumentPlace *place)
{
	if (strcmp(metadata->format_provider, "parquet") != 0)
		deltatx_refuse(place, "format", "The provider of a Delta table's files is \"parquet\".",
					   "file format \"%s\" is not supported", metadata->format_provider);
}

static void
find_partition_columns(TableShape *shape, const DocumentPlace *place)
{
	const List *names = shape->metadata.partition_columns;

	shape->n_partition_columns = list_length(names);
	shape->partition_columns = palloc(Max(list_length(names), 1) * sizeof(DeltaField *));
	for (int i = 0; i < list_length(names); i++)
	{
		shape->partition_columns[i] = partition_column(shape, list_nth(names, i), place);
		for (int j = 0; j < i; j++)
		{
			if (shape->partition_columns[i] == shape->partition_columns[j])
				deltatx_refuse(place, "partitionColumns", NULL,
							   "partition column \"%s\" is given twice",
							   shape->partition_columns[i]->name);
		}
	}
	if (shape->n_partition_columns == shape->schema->nfields)
		deltatx_refuse(place, "partitionColumns", "Leave at least one column for the data files.",
					   "all columns are partition columns");
}

static DeltaField *
partition_column(const TableShape *shape, const char *name, const DocumentPlace *place)
{
	const char *hint = "Partition columns are columns of the table, not fields within one.";

	for (int i = 0; i < shape->schema->nfields; i++)
	{
		DeltaField *field = &shape->schema->fields[i];

		if (strcmp(field->name, name) == 0)
		{
			if (!deltatx_type_is_atomic(field->type))
				deltatx_refuse(place, "partitionColumns", NULL,
							   "column \"%s\" of type %s cannot be a partition column",
							   name, deltatx_type_to_string(field->type));
			return field;
		}
		if (pg_strcasecmp(field->name, name) == 0)
			hint = psprintf("The column is spelt \"%s\".", field->name);
	}
	deltatx_refuse(place, "partitionColumns", hint,
				   "partition column \"%s\" is not a column of the table", name);
}

/* Engines ignore case in booleans. */
static bool
property_is(const TableShape *shape, const char *key, const char *value)
{
	const char *set = deltatx_property(shape->metadata.configuration, key);

	return set != NULL && pg_strcasecmp(set, value) == 0;
}
