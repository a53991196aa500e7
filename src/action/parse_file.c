/*-------------------------------------------------------------------------
 *
 * parse_file.c
 *	  The actions add, remove and cdc.
 *
 * They have most of their fields in common.  What a kind doesn't know is kept
 * as it is, like members that nobody knows.  A null counts as absent where the
 * field is known: delta-rs writes all that it has no value for as nulls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/dv.h"
#include "action/parse.h"
#include "action/stats.h"

#define IN_ADD		(1 << ACTION_ADD)
#define IN_REMOVE	(1 << ACTION_REMOVE)
#define IN_CDC		(1 << ACTION_CDC)
#define IN_ALL		(IN_ADD | IN_REMOVE | IN_CDC)

typedef enum FileField
{
	FIELD_PATH,
	FIELD_PARTITION_VALUES,
	FIELD_SIZE,
	FIELD_TIMESTAMP,
	FIELD_DATA_CHANGE,
	FIELD_STATS,
	FIELD_DELETION_VECTOR,
	FIELD_IMPLIED,				/* checked, and written by the serializer's own lights */
	FIELD_STRING_MAP,			/* checked and kept */
	FIELD_INTEGER,				/* likewise */
	FIELD_STRING				/* likewise */
} FileField;

typedef struct KnownField
{
	const char *name;
	FileField	field;
	int			kinds;
} KnownField;

/* In the order in which Spark writes them, which is the order we mostly meet. */
static const KnownField known_fields[] = {
	{"path", FIELD_PATH, IN_ALL},
	{"partitionValues", FIELD_PARTITION_VALUES, IN_ALL},
	{"size", FIELD_SIZE, IN_ALL},
	{"modificationTime", FIELD_TIMESTAMP, IN_ADD},
	{"deletionTimestamp", FIELD_TIMESTAMP, IN_REMOVE},
	{"dataChange", FIELD_DATA_CHANGE, IN_ALL},
	{"stats", FIELD_STATS, IN_ADD | IN_REMOVE},
	{"extendedFileMetadata", FIELD_IMPLIED, IN_REMOVE},
	{"tags", FIELD_STRING_MAP, IN_ALL},
	{"deletionVector", FIELD_DELETION_VECTOR, IN_ADD | IN_REMOVE},
	{"baseRowId", FIELD_INTEGER, IN_ADD | IN_REMOVE},
	{"defaultRowCommitVersion", FIELD_INTEGER, IN_ADD | IN_REMOVE},
	{"clusteringProvider", FIELD_STRING, IN_ADD | IN_REMOVE},
};

/* A file action that is being read. */
typedef struct FileParse
{
	ActionKind	kind;
	FileAction *file;
	bool		has_data_change;
	int64		cardinality;	/* of the deletion vector */
	ExtraMembers extra;
} FileParse;

static const KnownField *known_field(const char *name, ActionKind kind);
static void read_known(JsonReader *reader, FileParse *parse, const KnownField *known);
static void read_kept(JsonReader *reader, FileParse *parse, const KnownField *known);
static void read_deletion_vector(JsonReader *reader, FileParse *parse);
static char *read_stats(JsonReader *reader);
static void finish(JsonReader *reader, FileParse *parse);
static void finish_add(JsonReader *reader, FileParse *parse);
static void finish_cdc(JsonReader *reader, FileParse *parse);

void
deltatx_parse_file(JsonReader *reader, Action *action)
{
	FileParse	parse = {.kind = action->kind,.file = &action->u.file};
	JsonObject	object;

	parse.file->size = -1;
	parse.file->timestamp = -1;
	parse.file->num_records = -1;

	deltatx_json_enter_object(reader, &object, deltatx_action_name(action->kind));
	while (deltatx_json_next_member(reader, &object))
	{
		const KnownField *known = known_field(reader->key.data, action->kind);

		if (known == NULL)
			deltatx_extra_keep(&parse.extra, reader);
		else if (!deltatx_json_take_null(reader))
			read_known(reader, &parse, known);
	}
	finish(reader, &parse);
}

/* NULL: not a field of that kind of action. */
static const KnownField *
known_field(const char *name, ActionKind kind)
{
	for (int i = 0; i < lengthof(known_fields); i++)
	{
		if (strcmp(known_fields[i].name, name) == 0)
			return (known_fields[i].kinds & (1 << kind)) ? &known_fields[i] : NULL;
	}
	return NULL;
}

static void
read_known(JsonReader *reader, FileParse *parse, const KnownField *known)
{
	FileAction *file = parse->file;

	switch (known->field)
	{
		case FIELD_PATH:
			file->path = deltatx_json_nonempty(reader, known->name);
			break;
		case FIELD_PARTITION_VALUES:
			file->partition_values = deltatx_json_string_map(reader, known->name);
			break;
		case FIELD_SIZE:
			file->size = deltatx_json_integer(reader, known->name, 0, PG_INT64_MAX);
			break;
		case FIELD_TIMESTAMP:
			file->timestamp = deltatx_json_integer(reader, known->name, 0, PG_INT64_MAX);
			break;
		case FIELD_DATA_CHANGE:
			file->data_change = deltatx_json_boolean(reader, known->name);
			parse->has_data_change = true;
			break;
		case FIELD_STATS:
			file->stats = read_stats(reader);
			file->num_records = deltatx_stats_num_records(file->stats, &reader->place);
			break;
		case FIELD_DELETION_VECTOR:
			read_deletion_vector(reader, parse);
			break;
		case FIELD_IMPLIED:
			(void) deltatx_json_boolean(reader, known->name);
			break;
		case FIELD_STRING_MAP:
		case FIELD_INTEGER:
		case FIELD_STRING:
			read_kept(reader, parse, known);
			break;
	}
}

/* Fields that need only be of the right type. */
static void
read_kept(JsonReader *reader, FileParse *parse, const KnownField *known)
{
	const char *member = reader->raw_key;

	if (known->field == FIELD_STRING_MAP)
		(void) deltatx_json_string_map(reader, known->name);
	else if (known->field == FIELD_INTEGER)
		(void) deltatx_json_integer(reader, known->name, 0, PG_INT64_MAX);
	else
		(void) deltatx_json_string(reader, known->name);
	deltatx_extra_append(&parse->extra, reader, member);
}

static void
read_deletion_vector(JsonReader *reader, FileParse *parse)
{
	DeletionVector dv;

	deltatx_dv_read(reader, &dv);
	parse->file->deletion_vector = dv.json;
	parse->file->dv_id = dv.id;
	parse->cardinality = dv.cardinality;
}

/* Statistics are a document within a string, and stay one. */
static char *
read_stats(JsonReader *reader)
{
	if (deltatx_json_token(reader) == JSON_TOKEN_OBJECT_START)
		deltatx_refuse(&reader->place, "stats",
					   "Encode the statistics as a JSON string that holds a JSON document.",
					   "stats is a JSON object where a JSON string is due");
	return deltatx_json_string(reader, "stats");
}

static void
finish(JsonReader *reader, FileParse *parse)
{
	if (parse->file->path == NULL)
		deltatx_refuse_missing(reader, "path");
	if (parse->kind == ACTION_ADD)
		finish_add(reader, parse);
	else if (parse->kind == ACTION_CDC)
		finish_cdc(reader, parse);
	else if (!parse->has_data_change)
		parse->file->data_change = true;
	parse->file->extra = parse->extra.text.data;
}

static void
finish_add(JsonReader *reader, FileParse *parse)
{
	const FileAction *file = parse->file;

	if (file->partition_values == NULL)
		deltatx_refuse_missing(reader, "partitionValues");
	if (file->size < 0)
		deltatx_refuse_missing(reader, "size");
	if (file->timestamp < 0)
		deltatx_refuse_missing(reader, "modificationTime");
	if (!parse->has_data_change)
		deltatx_refuse_missing(reader, "dataChange");

	if (file->deletion_vector == NULL)
		return;
	if (file->num_records < 0)
		deltatx_refuse(&reader->place, "stats",
					   "Give stats with the number of rows in the data file, deleted ones included.",
					   "stats without numRecords in a file that has a deletion vector");
	if (parse->cardinality > file->num_records)
		deltatx_refuse(&reader->place, "deletionVector", NULL,
					   "the deletion vector's cardinality " INT64_FORMAT
					   " is above the file's numRecords " INT64_FORMAT,
					   parse->cardinality, file->num_records);
}

static void
finish_cdc(JsonReader *reader, FileParse *parse)
{
	const FileAction *file = parse->file;

	if (file->partition_values == NULL)
		deltatx_refuse_missing(reader, "partitionValues");
	if (file->size < 0)
		deltatx_refuse_missing(reader, "size");
	if (file->data_change)
		deltatx_refuse(&reader->place, "dataChange", NULL,
					   "dataChange is true, which it never is for change data");
}
