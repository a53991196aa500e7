/*-------------------------------------------------------------------------
 *
 * path_hive.c
 *	  Hive-style directories: day=2026-11-01/region=eu/part-....parquet
 *
 * The protocol gives directories no meaning, yet some readers (Polars) take a
 * file's partition values from them.  So we make paths that tell the truth,
 * and can tell whether those of others do.
 *
 * A value goes through two encodings.  Hive escapes what would confuse names
 * of directories; that is the name in the store.  The log holds it URI-encoded
 * on top: the value a%b is p=a%25b in the store and p=a%2525b in the log.
 * Writers differ in how much they escape, but all of them come back to the
 * value when both are undone, so that is how paths are judged.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/partition.h"
#include "action/path.h"

/* What a directory says where the value is null. */
#define HIVE_NULL	"__HIVE_DEFAULT_PARTITION__"

/* What Hive escapes besides control characters. */
static const char *const hive_special = "\"#%'*/:=?\\{[]^";

static void append_directory(StringInfo out, const DeltaField *column, const char *value);
static char *without_zone(const char *timestamp);
static char *hive_escape(const char *name);
static void append_encoded(StringInfo out, const char *name);
static void append_uuid(StringInfo out);
static bool segment_is_true(const char *segment, size_t length, const TableShape *shape,
							char *const *texts, bool *told);
static bool same_value(const char *told, const char *text, const DeltaType *type);

char *
deltatx_path_new(const TableShape *shape, const char *partition_values, const char *suffix)
{
	DocumentPlace place = {.condition = DTX_INVALID_ACTION};
	char	  **texts = deltatx_partition_texts(partition_values, shape->partition_columns,
												shape->n_partition_columns);
	StringInfoData path;
	const char *problem;

	initStringInfo(&path);
	for (int i = 0; i < shape->n_partition_columns; i++)
		append_directory(&path, shape->partition_columns[i], texts[i]);
	appendStringInfoString(&path, "part-");
	append_uuid(&path);
	appendStringInfoString(&path, suffix);

	problem = strchr(suffix, '/') ? "has a directory in its suffix" : deltatx_path_problem(path.data);
	if (problem != NULL)
		deltatx_refuse(&place, "suffix", "Give a suffix like \".parquet\".",
					   "path of a new file %s", problem);
	return path.data;
}

bool
deltatx_path_is_hive(const TableShape *shape, const char *path, const char *partition_values)
{
	char	  **texts = deltatx_partition_texts(partition_values, shape->partition_columns,
												shape->n_partition_columns);
	bool	   *told = palloc0(shape->n_partition_columns + 1);
	size_t		length;

	/* The last segment is the file's own name. */
	for (; path[length = strcspn(path, "/")] != '\0'; path += length + 1)
	{
		if (!segment_is_true(path, length, shape, texts, told))
			return false;
	}
	for (int i = 0; i < shape->n_partition_columns; i++)
	{
		if (!told[i])
			return false;
	}
	return true;
}

static void
append_directory(StringInfo out, const DeltaField *column, const char *value)
{
	if (value != NULL && column->type->kind == DELTA_TIMESTAMP)
		value = without_zone(value);
	append_encoded(out, hive_escape(column->name));
	appendStringInfoChar(out, '=');
	append_encoded(out, value ? hive_escape(value) : HIVE_NULL);
	appendStringInfoChar(out, '/');
}

/*
 * Of the two forms of a timestamp, the one that Spark and delta-rs use in
 * directories.  Polars fails on a table that has both.
 */
static char *
without_zone(const char *timestamp)
{
	char	   *result = pstrdup(timestamp);
	char	   *separator = strchr(result, 'T');

	if (separator != NULL)
	{
		*separator = ' ';
		result[strlen(result) - 1] = '\0';
	}
	return result;
}

static char *
hive_escape(const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const char *p = name; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7f || strchr(hive_special, *p) != NULL)
			deltatx_percent_encode(&out, *p);
		else
			appendStringInfoChar(&out, *p);
	}
	return out.data;
}

/* For a URI's path. */
static void
append_encoded(StringInfo out, const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
	{
		if (deltatx_path_is_plain(*p))
			appendStringInfoChar(out, *p);
		else
			deltatx_percent_encode(out, *p);
	}
}

/* Random, in the usual notation. */
static void
append_uuid(StringInfo out)
{
	unsigned char bytes[16];

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;

	for (int i = 0; i < sizeof(bytes); i++)
		appendStringInfo(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

/* False when a directory tells a partition column's value wrongly, or again. */
static bool
segment_is_true(const char *segment, size_t length, const TableShape *shape,
				char *const *texts, bool *told)
{
	char	   *stored = deltatx_percent_decode(segment, length);
	char	   *equals = strchr(stored, '=');
	char	   *name;

	if (equals == NULL)
		return true;
	name = deltatx_percent_decode(stored, equals - stored);

	for (int i = 0; i < shape->n_partition_columns; i++)
	{
		const DeltaField *column = shape->partition_columns[i];

		if (strcmp(column->name, name) != 0)
			continue;
		if (told[i] || !same_value(deltatx_percent_decode(equals + 1, strlen(equals + 1)),
								   texts[i], column->type))
			return false;
		told[i] = true;
	}
	return true;
}

/* Readers see a directory's value in the column's type, so it is compared in that. */
static bool
same_value(const char *told, const char *text, const DeltaType *type)
{
	PartitionValue in_path;
	PartitionValue in_action;

	if (strcmp(told, HIVE_NULL) == 0)
		told = NULL;
	return deltatx_partition_value_parse(told, type, &in_path) &&
		deltatx_partition_value_parse(text, type, &in_action) &&
		deltatx_partition_value_equal(&in_path, &in_action, type);
}
