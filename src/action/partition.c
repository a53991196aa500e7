/*-------------------------------------------------------------------------
 *
 * partition.c
 *	  The partition values of a file.
 *
 * They are kept as the compact JSON object that the log holds, and read when
 * they are needed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/json_reader.h"
#include "action/partition.h"

/* How much of a wrong value an error repeats. */
#define MAX_QUOTED	64

static char *read_text(JsonReader *reader);
static int	column_index(DeltaField *const *columns, int n_columns, const char *name);
static void check_value(const char *text, const DeltaField *column, const DocumentPlace *place);
static void refuse_unexpected(const char *name, const TableShape *shape,
							  const DocumentPlace *place) pg_attribute_noreturn();
static char *column_list(const TableShape *shape);

void
deltatx_partition_values_check(const char *partition_values, const TableShape *shape,
							   const DocumentPlace *place)
{
	bool	   *given = palloc0(shape->n_partition_columns + 1);
	JsonReader	reader;
	JsonObject	object;

	deltatx_json_open(&reader, partition_values, strlen(partition_values), place, NULL);
	deltatx_json_enter_object(&reader, &object, "partitionValues");
	while (deltatx_json_next_member(&reader, &object))
	{
		int			i = column_index(shape->partition_columns, shape->n_partition_columns,
									 reader.key.data);
		char	   *text;

		if (i < 0)
			refuse_unexpected(reader.key.data, shape, place);
		text = read_text(&reader);
		check_value(text, shape->partition_columns[i], place);
		given[i] = true;
	}
	deltatx_json_close(&reader);

	for (int i = 0; i < shape->n_partition_columns; i++)
	{
		if (!given[i])
			deltatx_refuse(place, "partitionValues",
						   psprintf("Give a value, or null, for each of the partition columns %s.",
									column_list(shape)),
						   "partitionValues lacks column \"%s\"",
						   shape->partition_columns[i]->name);
	}
	pfree(given);
}

char **
deltatx_partition_texts(const char *partition_values, DeltaField *const *columns, int n_columns)
{
	char	  **texts = palloc0(sizeof(char *) * (n_columns + 1));
	DocumentPlace place = {.condition = DTX_INVALID_ACTION};
	JsonReader	reader;
	JsonObject	object;

	deltatx_json_open(&reader, partition_values, strlen(partition_values), &place, NULL);
	deltatx_json_enter_object(&reader, &object, "partitionValues");
	while (deltatx_json_next_member(&reader, &object))
	{
		int			i = column_index(columns, n_columns, reader.key.data);
		char	   *text = read_text(&reader);

		if (i >= 0 && text != NULL && text[0] != '\0')
			texts[i] = text;
	}
	deltatx_json_close(&reader);
	return texts;
}

void
deltatx_partition_value_of(const char *text, const DeltaField *column, PartitionValue *value)
{
	DocumentPlace place = {.condition = DTX_INVALID_ACTION};

	if (!deltatx_partition_value_parse(text, column->type, value))
		check_value(text, column, &place);
}

char *
deltatx_partition_key(const TableShape *shape, const char *partition_values)
{
	char	  **texts = deltatx_partition_texts(partition_values, shape->partition_columns,
												shape->n_partition_columns);
	StringInfoData key;

	initStringInfo(&key);
	appendStringInfoChar(&key, '[');
	for (int i = 0; i < shape->n_partition_columns; i++)
	{
		PartitionValue value;

		if (i > 0)
			appendStringInfoChar(&key, ',');
		deltatx_partition_value_of(texts[i], shape->partition_columns[i], &value);
		deltatx_partition_value_append(&key, &value, shape->partition_columns[i]->type);
	}
	appendStringInfoChar(&key, ']');
	return key.data;
}

/* NULL: null. */
static char *
read_text(JsonReader *reader)
{
	if (deltatx_json_take_null(reader))
		return NULL;
	if (deltatx_json_token(reader) != JSON_TOKEN_STRING)
		deltatx_refuse(&reader->place, "partitionValues",
					   "Write every partition value as a JSON string, or as null.",
					   "partitionValues holds a value that is no JSON string");
	return deltatx_json_string(reader, "partitionValues");
}

/* -1: no such column. */
static int
column_index(DeltaField *const *columns, int n_columns, const char *name)
{
	for (int i = 0; i < n_columns; i++)
	{
		if (strcmp(columns[i]->name, name) == 0)
			return i;
	}
	return -1;
}

static void
check_value(const char *text, const DeltaField *column, const DocumentPlace *place)
{
	PartitionValue value;

	if (!deltatx_partition_value_parse(text, column->type, &value))
		deltatx_refuse(place, "partitionValues",
					   "Write partition values as the Delta protocol does, section \"Partition Value Serialization\".",
					   "partition value \"%.*s\" of column \"%s\" is not of type %s",
					   pg_mbcliplen(text, strlen(text), MAX_QUOTED), text,
					   column->name, deltatx_type_to_string(column->type));
	if (value.is_null && !column->nullable)
		deltatx_refuse(place, "partitionValues", NULL,
					   "partition value of column \"%s\" is null, which the column may not be",
					   column->name);
}

static void
refuse_unexpected(const char *name, const TableShape *shape, const DocumentPlace *place)
{
	const char *hint = "The table is not partitioned: give {}.";

	if (shape->n_partition_columns > 0)
		hint = psprintf("The partition columns are %s.", column_list(shape));
	deltatx_refuse(place, "partitionValues", hint,
				   "partitionValues names \"%.*s\", which is no partition column",
				   pg_mbcliplen(name, strlen(name), MAX_QUOTED), name);
}

static char *
column_list(const TableShape *shape)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < shape->n_partition_columns; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", shape->partition_columns[i]->name);
	return list.data;
}
