/*-------------------------------------------------------------------------
 *
 * parse_control.c
 *	  The actions metaData, protocol, txn and domainMetadata.
 *
 * A null counts as absent where the field is known.  Required is what readers
 * fail without and we could not know better: a metaData without configuration
 * or format.options is completed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/parse.h"

static bool read_metadata_field(JsonReader *reader, MetadataAction *metadata);
static void read_format(JsonReader *reader, MetadataAction *metadata);
static List *read_configuration(JsonReader *reader);
static char *read_property_value(JsonReader *reader);
static List *read_names(JsonReader *reader, const char *field);
static void check_unique(JsonReader *reader, const char *field, const List *names);
static int	compare_strings(const ListCell *a, const ListCell *b);
static bool read_protocol_field(JsonReader *reader, ProtocolAction *protocol);
static void check_protocol(JsonReader *reader, const ProtocolAction *protocol);

void
deltatx_parse_metadata(JsonReader *reader, MetadataAction *metadata)
{
	ExtraMembers extra = {{0}};
	JsonObject	object;
	bool		has_partition_columns = false;

	metadata->created_time = -1;
	metadata->format_options = "{}";

	deltatx_json_enter_object(reader, &object, "metaData");
	while (deltatx_json_next_member(reader, &object))
	{
		has_partition_columns |= (strcmp(reader->key.data, "partitionColumns") == 0);
		if (!read_metadata_field(reader, metadata))
			deltatx_extra_keep(&extra, reader);
	}
	metadata->extra = extra.text.data;

	if (metadata->id == NULL)
		deltatx_refuse_missing(reader, "id");
	if (metadata->format_provider == NULL)
		deltatx_refuse_missing(reader, "format");
	if (metadata->schema_string == NULL)
		deltatx_refuse_missing(reader, "schemaString");
	if (!has_partition_columns)
		deltatx_refuse_missing(reader, "partitionColumns");
}

/* False: the member is none of ours. */
static bool
read_metadata_field(JsonReader *reader, MetadataAction *metadata)
{
	const char *name = reader->key.data;

	if (strcmp(name, "id") == 0)
		metadata->id = deltatx_json_nonempty(reader, "id");
	else if (strcmp(name, "format") == 0)
		read_format(reader, metadata);
	else if (strcmp(name, "schemaString") == 0)
		metadata->schema_string = deltatx_json_nonempty(reader, "schemaString");
	else if (strcmp(name, "partitionColumns") == 0)
		metadata->partition_columns = read_names(reader, "partitionColumns");
	else if (strcmp(name, "configuration") == 0)
		metadata->configuration = read_configuration(reader);
	else if (strcmp(name, "name") == 0)
		metadata->name = deltatx_json_optional_string(reader, "name");
	else if (strcmp(name, "description") == 0)
		metadata->description = deltatx_json_optional_string(reader, "description");
	else if (strcmp(name, "createdTime") == 0)
		metadata->created_time = deltatx_json_take_null(reader) ? -1 :
			deltatx_json_integer(reader, "createdTime", 0, PG_INT64_MAX);
	else
		return false;
	return true;
}

static void
read_format(JsonReader *reader, MetadataAction *metadata)
{
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, "format");
	while (deltatx_json_next_member(reader, &object))
	{
		if (strcmp(reader->key.data, "provider") == 0)
			metadata->format_provider = deltatx_json_string(reader, "format");
		else if (strcmp(reader->key.data, "options") == 0)
			metadata->format_options = deltatx_json_string_map(reader, "format");
		else
			deltatx_refuse(&reader->place, "format",
						   "Give a format of provider and options.",
						   "format has an unknown member");
	}

	if (metadata->format_provider == NULL ||
		strcmp(metadata->format_provider, "parquet") != 0)
		deltatx_refuse(&reader->place, "format",
					   "Give {\"provider\": \"parquet\", \"options\": {}}.",
					   "the format's provider is not parquet");
}

static List *
read_configuration(JsonReader *reader)
{
	List	   *properties = NIL;
	JsonObject	object;

	if (deltatx_json_take_null(reader))
		return NIL;
	deltatx_json_enter_object(reader, &object, "configuration");
	while (deltatx_json_next_member(reader, &object))
	{
		Property   *property = palloc(sizeof(Property));

		property->key = pnstrdup(reader->key.data, reader->key.len);
		property->value = read_property_value(reader);
		properties = lappend(properties, property);
	}
	return properties;
}

static char *
read_property_value(JsonReader *reader)
{
	if (deltatx_json_token(reader) != JSON_TOKEN_STRING)
		deltatx_refuse(&reader->place, "configuration",
					   "Write every property's value as a JSON string, numbers and booleans too.",
					   "configuration holds a value that is no JSON string");
	return deltatx_json_string(reader, "configuration");
}

/* An array of distinct names. */
static List *
read_names(JsonReader *reader, const char *field)
{
	List	   *names = NIL;
	bool		first;

	deltatx_json_enter_array(reader, &first, field);
	while (deltatx_json_next_element(reader, &first))
		names = lappend(names, deltatx_json_nonempty(reader, field));
	check_unique(reader, field, names);
	return names;
}

static void
check_unique(JsonReader *reader, const char *field, const List *names)
{
	List	   *sorted = list_copy(names);
	const char *previous = NULL;
	ListCell   *cell;

	list_sort(sorted, compare_strings);
	foreach(cell, sorted)
	{
		const char *name = lfirst(cell);

		if (previous != NULL && strcmp(previous, name) == 0)
			deltatx_refuse(&reader->place, field, NULL, "%s names \"%.*s\" twice", field,
						   pg_mbcliplen(name, strlen(name), NAMEDATALEN), name);
		previous = name;
	}
	list_free(sorted);
}

static int
compare_strings(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

void
deltatx_parse_protocol(JsonReader *reader, ProtocolAction *protocol)
{
	ExtraMembers extra = {{0}};
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, "protocol");
	while (deltatx_json_next_member(reader, &object))
	{
		if (!read_protocol_field(reader, protocol))
			deltatx_extra_keep(&extra, reader);
	}
	protocol->extra = extra.text.data;
	check_protocol(reader, protocol);
}

/* False: the member is none of ours. */
static bool
read_protocol_field(JsonReader *reader, ProtocolAction *protocol)
{
	const char *name = reader->key.data;

	if (strcmp(name, "minReaderVersion") == 0)
		protocol->min_reader = deltatx_json_integer(reader, "minReaderVersion", 1, PG_INT32_MAX);
	else if (strcmp(name, "minWriterVersion") == 0)
		protocol->min_writer = deltatx_json_integer(reader, "minWriterVersion", 1, PG_INT32_MAX);
	else if (strcmp(name, "readerFeatures") == 0)
	{
		protocol->has_reader_features = !deltatx_json_take_null(reader);
		if (protocol->has_reader_features)
			protocol->reader_features = read_names(reader, "readerFeatures");
	}
	else if (strcmp(name, "writerFeatures") == 0)
	{
		protocol->has_writer_features = !deltatx_json_take_null(reader);
		if (protocol->has_writer_features)
			protocol->writer_features = read_names(reader, "writerFeatures");
	}
	else
		return false;
	return true;
}

/* Readers fail on lists of features beside versions that know none. */
static void
check_protocol(JsonReader *reader, const ProtocolAction *protocol)
{
	if (protocol->min_reader == 0)
		deltatx_refuse_missing(reader, "minReaderVersion");
	if (protocol->min_writer == 0)
		deltatx_refuse_missing(reader, "minWriterVersion");
	if (protocol->has_reader_features != (protocol->min_reader == 3))
		deltatx_refuse(&reader->place, "readerFeatures",
					   "Give readerFeatures exactly when minReaderVersion is 3.",
					   "readerFeatures and minReaderVersion %d don't go together",
					   protocol->min_reader);
	if (protocol->has_writer_features != (protocol->min_writer == 7))
		deltatx_refuse(&reader->place, "writerFeatures",
					   "Give writerFeatures exactly when minWriterVersion is 7.",
					   "writerFeatures and minWriterVersion %d don't go together",
					   protocol->min_writer);
	if (protocol->min_reader == 3 && protocol->min_writer != 7)
		deltatx_refuse(&reader->place, "minWriterVersion", NULL,
					   "minReaderVersion 3 needs minWriterVersion 7");
}

void
deltatx_parse_txn(JsonReader *reader, TxnAction *txn)
{
	ExtraMembers extra = {{0}};
	JsonObject	object;

	txn->version = -1;
	txn->last_updated = -1;

	deltatx_json_enter_object(reader, &object, "txn");
	while (deltatx_json_next_member(reader, &object))
	{
		const char *name = reader->key.data;

		if (strcmp(name, "appId") == 0)
			txn->app_id = deltatx_json_nonempty(reader, "appId");
		else if (strcmp(name, "version") == 0)
			txn->version = deltatx_json_integer(reader, "version", 0, PG_INT64_MAX);
		else if (strcmp(name, "lastUpdated") != 0)
			deltatx_extra_keep(&extra, reader);
		else if (!deltatx_json_take_null(reader))
			txn->last_updated = deltatx_json_integer(reader, "lastUpdated", 0, PG_INT64_MAX);
	}
	txn->extra = extra.text.data;

	if (txn->app_id == NULL)
		deltatx_refuse_missing(reader, "appId");
	if (txn->version < 0)
		deltatx_refuse_missing(reader, "version");
}

void
deltatx_parse_domain(JsonReader *reader, DomainAction *domain)
{
	ExtraMembers extra = {{0}};
	JsonObject	object;
	bool		has_removed = false;

	deltatx_json_enter_object(reader, &object, "domainMetadata");
	while (deltatx_json_next_member(reader, &object))
	{
		const char *name = reader->key.data;

		if (strcmp(name, "domain") == 0)
			domain->domain = deltatx_json_nonempty(reader, "domain");
		else if (strcmp(name, "configuration") == 0)
			domain->configuration = deltatx_json_string(reader, "configuration");
		else if (strcmp(name, "removed") == 0)
		{
			domain->removed = deltatx_json_boolean(reader, "removed");
			has_removed = true;
		}
		else
			deltatx_extra_keep(&extra, reader);
	}
	domain->extra = extra.text.data;

	if (domain->domain == NULL)
		deltatx_refuse_missing(reader, "domain");
	if (domain->configuration == NULL)
		deltatx_refuse_missing(reader, "configuration");
	if (!has_removed)
		deltatx_refuse_missing(reader, "removed");
}
