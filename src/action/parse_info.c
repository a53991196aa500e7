/*-------------------------------------------------------------------------
 *
 * parse_info.c
 *	  What a caller's commitInfo contributes to ours.
 *
 * commitInfo is free-form, and most of it is ours to say: the rest of what a
 * caller gives is ignored.  Delta wants maps from string to string, and
 * readers fail on anything else (Spark's DESCRIBE HISTORY on nested values),
 * while writers put numbers and objects there: those become strings that hold
 * their JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/parse.h"

static void append_as_string(JsonReader *reader, StringInfo out);

void
deltatx_parse_commit_info(JsonReader *reader, CommitInfoAction *info)
{
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, "commitInfo");
	while (deltatx_json_next_member(reader, &object))
	{
		const char *name = reader->key.data;

		if (deltatx_json_take_null(reader))
			continue;
		if (strcmp(name, "operation") == 0)
			info->operation = deltatx_json_nonempty(reader, "operation");
		else if (strcmp(name, "operationParameters") == 0)
			info->operation_parameters = deltatx_json_stringified(reader, "operationParameters");
		else if (strcmp(name, "operationMetrics") == 0)
			info->operation_metrics = deltatx_json_stringified(reader, "operationMetrics");
		else if (strcmp(name, "userMetadata") == 0)
			info->user_metadata = deltatx_json_string(reader, "userMetadata");
		else if (strcmp(name, "tags") == 0)
			info->tags = deltatx_json_string_map(reader, "tags");
		else
			deltatx_json_skip(reader);
	}
}

char *
deltatx_json_stringified(JsonReader *reader, const char *field)
{
	StringInfoData out;
	JsonObject	object;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	deltatx_json_enter_object(reader, &object, field);
	while (deltatx_json_next_member(reader, &object))
	{
		if (out.len > 1)
			appendStringInfoChar(&out, ',');
		appendBinaryStringInfo(&out, reader->raw_key, reader->raw_key_length);
		appendStringInfoChar(&out, ':');
		append_as_string(reader, &out);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* A string as it is, anything else as a string that holds its JSON. */
static void
append_as_string(JsonReader *reader, StringInfo out)
{
	const char *start = deltatx_json_here(reader);
	bool		is_string = (deltatx_json_token(reader) == JSON_TOKEN_STRING);

	deltatx_json_skip(reader);
	if (is_string)
		deltatx_json_append_since(reader, start, out);
	else
		deltatx_json_append_string(out, deltatx_json_since(reader, start));
}
