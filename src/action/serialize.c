/*-------------------------------------------------------------------------
 *
 * serialize.c
 *	  Actions to lines of a commit file.
 *
 * The bytes of a published version never change, and a publisher that was
 * interrupted must write what its predecessor wrote.  So nothing here depends
 * on anything but the arguments: not on settings, not on the server's version,
 * whose JSON functions we therefore don't use.  Whoever changes a byte of what
 * comes out must raise DELTATX_SERIALIZER_VERSION, and keep the old form for
 * versions that were committed under it.
 *
 * Members come in the order in which Spark writes them; some readers look for
 * commitInfo.inCommitTimestamp first.  What is absent is left out: readers
 * fail on nulls in several places.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "action/action.h"
#include "action/json_reader.h"

static void open_action(StringInfo out, ActionKind kind);
static void close_action(StringInfo out, const char *extra);
static void append_name(StringInfo out, const char *name);
static void append_string(StringInfo out, const char *name, const char *value);
static void append_json(StringInfo out, const char *name, const char *json);
static void append_integer(StringInfo out, const char *name, int64 value);
static void append_boolean(StringInfo out, const char *name, bool value);
static void append_names(StringInfo out, const char *name, const List *names);
static void append_properties(StringInfo out, const char *name, const List *properties);
static void append_file_tail(StringInfo out, const FileAction *file);
static void append_group(StringInfo out, const CommitInfo *info);

void
deltatx_serialize_add(StringInfo out, const FileAction *add)
{
	open_action(out, ACTION_ADD);
	append_string(out, "path", add->path);
	append_json(out, "partitionValues", add->partition_values ? add->partition_values : "{}");
	append_integer(out, "size", add->size);
	append_integer(out, "modificationTime", add->timestamp);
	append_boolean(out, "dataChange", add->data_change);
	append_file_tail(out, add);
}

void
deltatx_serialize_remove(StringInfo out, const FileAction *remove)
{
	open_action(out, ACTION_REMOVE);
	append_string(out, "path", remove->path);
	append_integer(out, "deletionTimestamp", remove->timestamp);
	append_boolean(out, "dataChange", remove->data_change);
	if (remove->partition_values != NULL && remove->size >= 0)
		append_boolean(out, "extendedFileMetadata", true);
	append_json(out, "partitionValues", remove->partition_values);
	append_integer(out, "size", remove->size);
	append_file_tail(out, remove);
}

void
deltatx_serialize_metadata(StringInfo out, const MetadataAction *metadata)
{
	open_action(out, ACTION_METADATA);
	append_string(out, "id", metadata->id);
	append_string(out, "name", metadata->name);
	append_string(out, "description", metadata->description);

	append_name(out, "format");
	appendStringInfoChar(out, '{');
	append_string(out, "provider", metadata->format_provider);
	append_json(out, "options", metadata->format_options);
	appendStringInfoChar(out, '}');

	append_string(out, "schemaString", metadata->schema_string);
	append_names(out, "partitionColumns", metadata->partition_columns);
	append_properties(out, "configuration", metadata->configuration);
	append_integer(out, "createdTime", metadata->created_time);
	close_action(out, metadata->extra);
}

void
deltatx_serialize_protocol(StringInfo out, const ProtocolAction *protocol)
{
	open_action(out, ACTION_PROTOCOL);
	append_integer(out, "minReaderVersion", protocol->min_reader);
	append_integer(out, "minWriterVersion", protocol->min_writer);
	if (protocol->has_reader_features)
		append_names(out, "readerFeatures", protocol->reader_features);
	if (protocol->has_writer_features)
		append_names(out, "writerFeatures", protocol->writer_features);
	close_action(out, protocol->extra);
}

void
deltatx_serialize_txn(StringInfo out, const TxnAction *txn)
{
	open_action(out, ACTION_TXN);
	append_string(out, "appId", txn->app_id);
	append_integer(out, "version", txn->version);
	append_integer(out, "lastUpdated", txn->last_updated);
	close_action(out, txn->extra);
}

void
deltatx_serialize_domain(StringInfo out, const DomainAction *domain)
{
	open_action(out, ACTION_DOMAIN);
	append_string(out, "domain", domain->domain);
	append_string(out, "configuration", domain->configuration);
	append_boolean(out, "removed", domain->removed);
	close_action(out, domain->extra);
}

void
deltatx_serialize_commit_info(StringInfo out, const CommitInfo *info)
{
	open_action(out, ACTION_COMMIT_INFO);
	append_integer(out, "inCommitTimestamp", info->stamp);
	append_integer(out, "timestamp", info->stamp);
	append_string(out, "operation", info->operation);
	append_json(out, "operationParameters",
				info->operation_parameters ? info->operation_parameters : "{}");
	append_integer(out, "readVersion", info->read_version);
	append_string(out, "isolationLevel", info->isolation);
	append_boolean(out, "isBlindAppend", info->is_blind_append);
	append_json(out, "operationMetrics", info->operation_metrics);
	append_string(out, "engineInfo", info->engine_info);
	append_string(out, "txnId", info->transaction_id);
	append_string(out, "userMetadata", info->user_metadata);
	append_json(out, "tags", info->tags);
	append_group(out, info);
	close_action(out, NULL);
}

/* Which versions of which tables were committed as one. */
static void
append_group(StringInfo out, const CommitInfo *info)
{
	append_name(out, "deltatx");
	appendStringInfoChar(out, '{');
	append_string(out, "transactionId", info->transaction_id);
	append_name(out, "participants");
	appendStringInfoChar(out, '[');
	for (int i = 0; i < info->n_participants; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		appendStringInfoChar(out, '{');
		append_string(out, "tableId", info->participants[i].delta_id);
		append_integer(out, "version", info->participants[i].version);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "]}");
}

/* What add and remove end with alike. */
static void
append_file_tail(StringInfo out, const FileAction *file)
{
	append_string(out, "stats", file->stats);
	append_json(out, "deletionVector", file->deletion_vector);
	close_action(out, file->extra);
}

static void
open_action(StringInfo out, ActionKind kind)
{
	appendStringInfoChar(out, '{');
	append_name(out, deltatx_action_name(kind));
	appendStringInfoChar(out, '{');
}

static void
close_action(StringInfo out, const char *extra)
{
	if (extra != NULL)
	{
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		appendStringInfoString(out, extra);
	}
	appendStringInfoString(out, "}}");
}

/* Begin a member; whether another precedes it shows in the text. */
static void
append_name(StringInfo out, const char *name)
{
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	appendStringInfoChar(out, '"');
	appendStringInfoString(out, name);
	appendStringInfoString(out, "\":");
}

/* Nothing for NULL. */
static void
append_string(StringInfo out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	append_name(out, name);
	deltatx_json_append_string(out, value);
}

/* Nothing for NULL. */
static void
append_json(StringInfo out, const char *name, const char *json)
{
	if (json == NULL)
		return;
	append_name(out, name);
	appendStringInfoString(out, json);
}

/* Nothing for negative values, which stand for absent ones everywhere. */
static void
append_integer(StringInfo out, const char *name, int64 value)
{
	char		digits[MAXINT8LEN + 1];

	if (value < 0)
		return;
	append_name(out, name);
	appendBinaryStringInfo(out, digits, pg_lltoa(value, digits));
}

static void
append_boolean(StringInfo out, const char *name, bool value)
{
	append_name(out, name);
	appendStringInfoString(out, value ? "true" : "false");
}

static void
append_names(StringInfo out, const char *name, const List *names)
{
	const char *separator = "";
	ListCell   *cell;

	append_name(out, name);
	appendStringInfoChar(out, '[');
	foreach(cell, names)
	{
		appendStringInfoString(out, separator);
		deltatx_json_append_string(out, lfirst(cell));
		separator = ",";
	}
	appendStringInfoChar(out, ']');
}

static void
append_properties(StringInfo out, const char *name, const List *properties)
{
	const char *separator = "";
	ListCell   *cell;

	append_name(out, name);
	appendStringInfoChar(out, '{');
	foreach(cell, properties)
	{
		const Property *property = lfirst(cell);

		appendStringInfoString(out, separator);
		deltatx_json_append_string(out, property->key);
		appendStringInfoChar(out, ':');
		deltatx_json_append_string(out, property->value);
		separator = ",";
	}
	appendStringInfoChar(out, '}');
}
