/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  Statistics of data files.
 *
 * Statistics are a JSON document within a string of the log, and are kept as
 * that string.  The values in them are the readers' business; we look at the
 * number of rows, and at the nulls in columns that may have none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/stats.h"

static bool has_not_null(const DeltaSchema *schema);
static void check_null_counts(JsonReader *reader, const DeltaSchema *schema);
static void check_null_count(JsonReader *reader, const DeltaField *field);
static const DeltaField *find_field(const DeltaSchema *schema, const char *name);

int64
deltatx_stats_num_records(const char *stats, const DocumentPlace *place)
{
	JsonReader	reader;
	JsonObject	object;
	int64		result = -1;

	deltatx_json_open(&reader, stats, strlen(stats), place, "stats");
	deltatx_json_enter_object(&reader, &object, "stats");
	while (deltatx_json_next_member(&reader, &object))
	{
		if (deltatx_json_take_null(&reader))
			continue;
		if (strcmp(reader.key.data, "numRecords") == 0)
			result = deltatx_json_integer(&reader, "numRecords", 0, PG_INT64_MAX);
		else
			deltatx_json_skip(&reader);
	}
	deltatx_json_expect_end(&reader);
	deltatx_json_close(&reader);
	return result;
}

void
deltatx_stats_check_not_null(const char *stats, const DeltaSchema *schema,
							 const DocumentPlace *place)
{
	JsonReader	reader;
	JsonObject	object;

	/* Most tables have no such column, and nothing to look for. */
	if (!has_not_null(schema))
		return;

	deltatx_json_open(&reader, stats, strlen(stats), place, "stats");
	deltatx_json_enter_object(&reader, &object, "stats");
	while (deltatx_json_next_member(&reader, &object))
	{
		if (strcmp(reader.key.data, "nullCount") != 0)
			deltatx_json_skip(&reader);
		else if (!deltatx_json_take_null(&reader))
			check_null_counts(&reader, schema);
	}
	deltatx_json_close(&reader);
}

static bool
has_not_null(const DeltaSchema *schema)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		if (!schema->fields[i].nullable)
			return true;
	}
	return false;
}

/*
 * A field within a struct that is null counts as null itself, so only what is
 * NOT NULL all the way down is looked at.
 */
static void
check_null_counts(JsonReader *reader, const DeltaSchema *schema)
{
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, "nullCount");
	while (deltatx_json_next_member(reader, &object))
	{
		const DeltaField *field = find_field(schema, reader->key.data);

		if (field == NULL || field->nullable)
			deltatx_json_skip(reader);
		else if (field->type->kind == DELTA_STRUCT &&
				 deltatx_json_token(reader) == JSON_TOKEN_OBJECT_START)
			check_null_counts(reader, &field->type->fields);
		else if (!deltatx_json_take_null(reader))
			check_null_count(reader, field);
	}
}

static void
check_null_count(JsonReader *reader, const DeltaField *field)
{
	int64		nulls = deltatx_json_integer(reader, "nullCount", 0, PG_INT64_MAX);

	if (nulls > 0)
		deltatx_refuse(&reader->place, "stats", NULL,
					   "stats count " INT64_FORMAT " nulls in column \"%s\", which is NOT NULL",
					   nulls, field->name);
}

/* NULL: no such field. */
static const DeltaField *
find_field(const DeltaSchema *schema, const char *name)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	}
	return NULL;
}
