/*-------------------------------------------------------------------------
 *
 * features.c
 *	  The table features that we know, and what uses them.
 *
 * A protocol lists features; a schema and properties use them.  The two are
 * apart on purpose: Delta tables list features for good that nothing uses,
 * and a table must not become unwritable by that.  So row-level features,
 * whose duties only who writes the data files can fulfil, ask the caller to
 * vouch where something uses them, and not where they are merely listed.
 *
 * docs/features.md says the same as a table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "action/json_reader.h"
#include "schema/features.h"

const Feature deltatx_features[FEATURE_COUNT] = {
	[FEATURE_APPEND_ONLY] = {"appendOnly", FEATURE_HONOURED, false, 0, 2},
	[FEATURE_INVARIANTS] = {"invariants", FEATURE_VOUCHED, false, 0, 2},
	[FEATURE_IN_COMMIT_TIMESTAMP] = {"inCommitTimestamp", FEATURE_HONOURED, false, 0, 0},
	[FEATURE_DOMAIN_METADATA] = {"domainMetadata", FEATURE_HONOURED, false, 0, 0},
	[FEATURE_FENCE] = {"deltatxManaged", FEATURE_HONOURED, false, 0, 0},
	[FEATURE_CHECK_CONSTRAINTS] = {"checkConstraints", FEATURE_VOUCHED, false, 0, 3},
	[FEATURE_GENERATED_COLUMNS] = {"generatedColumns", FEATURE_VOUCHED, false, 0, 4},
	[FEATURE_IDENTITY_COLUMNS] = {"identityColumns", FEATURE_VOUCHED, false, 0, 6},
	[FEATURE_COLUMN_DEFAULTS] = {"allowColumnDefaults", FEATURE_VOUCHED, false, 0, 0},
	[FEATURE_MATERIALIZE_PARTITION_COLUMNS] = {"materializePartitionColumns", FEATURE_VOUCHED, false, 0, 0},
	[FEATURE_CHECKPOINT_PROTECTION] = {"checkpointProtection", FEATURE_HONOURED, false, 0, 0},
	[FEATURE_TIMESTAMP_NTZ] = {"timestampNtz", FEATURE_HONOURED, true, 0, 0},
	[FEATURE_VARIANT_TYPE] = {"variantType", FEATURE_HONOURED, true, 0, 0},
	[FEATURE_VARIANT_SHREDDING] = {"variantShredding", FEATURE_VOUCHED, true, 0, 0},
	[FEATURE_DELETION_VECTORS] = {"deletionVectors", FEATURE_HONOURED, true, 0, 0},
	[FEATURE_V2_CHECKPOINT] = {"v2Checkpoint", FEATURE_HONOURED, true, 0, 0},
	[FEATURE_VACUUM_PROTOCOL_CHECK] = {"vacuumProtocolCheck", FEATURE_HONOURED, true, 0, 0},
	[FEATURE_CHANGE_DATA_FEED] = {"changeDataFeed", FEATURE_REFUSED, false, 0, 4},
	[FEATURE_COLUMN_MAPPING] = {"columnMapping", FEATURE_REFUSED, true, 2, 5},
	[FEATURE_TYPE_WIDENING] = {"typeWidening", FEATURE_REFUSED, true, 0, 0},
	[FEATURE_ROW_TRACKING] = {"rowTracking", FEATURE_REFUSED, false, 0, 0},
	[FEATURE_COLLATIONS] = {"collations", FEATURE_REFUSED, true, 0, 0},
};

/* A key of a field's metadata, or the beginning of one, that uses a feature. */
typedef struct MetadataUse
{
	const char *key;
	bool		prefix;
	FeatureId	feature;
} MetadataUse;

static const MetadataUse metadata_uses[] = {
	{"delta.invariants", false, FEATURE_INVARIANTS},
	{"delta.generationExpression", false, FEATURE_GENERATED_COLUMNS},
	{"delta.identity.", true, FEATURE_IDENTITY_COLUMNS},
	{"CURRENT_DEFAULT", false, FEATURE_COLUMN_DEFAULTS},
	{"delta.typeChanges", false, FEATURE_TYPE_WIDENING},
	{"__COLLATIONS", false, FEATURE_COLLATIONS},
};

/* A property, and the value of it that uses a feature. */
typedef struct PropertyUse
{
	const char *key;
	const char *value;
	FeatureId	feature;
} PropertyUse;

static const PropertyUse property_uses[] = {
	{"delta.appendOnly", "true", FEATURE_APPEND_ONLY},
	{"delta.enableInCommitTimestamps", "true", FEATURE_IN_COMMIT_TIMESTAMP},
	{"delta.enableDeletionVectors", "true", FEATURE_DELETION_VECTORS},
	{"delta.checkpointPolicy", "v2", FEATURE_V2_CHECKPOINT},
	{"delta.enableVariantShredding", "true", FEATURE_VARIANT_SHREDDING},
	{"delta.enableVariantShredding", "true", FEATURE_VARIANT_TYPE},
	{"delta.enableMaterializePartitionColumnsFeature", "true", FEATURE_MATERIALIZE_PARTITION_COLUMNS},
	{"delta.enableChangeDataFeed", "true", FEATURE_CHANGE_DATA_FEED},
	{"delta.columnMapping.mode", "name", FEATURE_COLUMN_MAPPING},
	{"delta.columnMapping.mode", "id", FEATURE_COLUMN_MAPPING},
	{"delta.enableTypeWidening", "true", FEATURE_TYPE_WIDENING},
	{"delta.enableRowTracking", "true", FEATURE_ROW_TRACKING},
};

static Bitmapset *features_of_type(Bitmapset *used, const DeltaType *type);
static Bitmapset *features_of_fields(Bitmapset *used, const DeltaSchema *schema);
static Bitmapset *features_of_metadata(Bitmapset *used, const char *metadata);
static Bitmapset *feature_of_key(Bitmapset *used, const char *key);
static Bitmapset *features_used(const TableShape *shape);
static Bitmapset *features_unlisted(const TableShape *shape);
static Bitmapset *features_to_vouch_for(const TableShape *shape);
static void refuse_feature(const DocumentPlace *place, const char *hint, const char *format,
						   const char *name) pg_attribute_noreturn() pg_attribute_printf(3, 0);
static void check_vouchable(const List *enforced, const DocumentPlace *place);

const Feature *
deltatx_feature_named(const char *name)
{
	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (strcmp(deltatx_features[i].name, name) == 0)
			return &deltatx_features[i];
	}
	return NULL;
}

bool
deltatx_names_contain(const List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

List *
deltatx_names_copy(const List *names)
{
	List	   *copy = NIL;
	ListCell   *lc;

	foreach(lc, names)
		copy = lappend(copy, pstrdup(lfirst(lc)));
	return copy;
}

Bitmapset *
deltatx_features_of_schema(const DeltaSchema *schema)
{
	return features_of_fields(NULL, schema);
}

Bitmapset *
deltatx_features_of_properties(const List *configuration)
{
	Bitmapset  *used = NULL;
	ListCell   *lc;

	for (int i = 0; i < lengthof(property_uses); i++)
	{
		const char *value = deltatx_property(configuration, property_uses[i].key);

		if (value != NULL && pg_strcasecmp(value, property_uses[i].value) == 0)
			used = bms_add_member(used, property_uses[i].feature);
	}
	foreach(lc, configuration)
	{
		if (strncmp(((Property *) lfirst(lc))->key, "delta.constraints.", strlen("delta.constraints.")) == 0)
			used = bms_add_member(used, FEATURE_CHECK_CONSTRAINTS);
	}
	return used;
}

void
deltatx_features_check_supported(const TableShape *shape, const DocumentPlace *place)
{
	Bitmapset  *unlisted = features_unlisted(shape);
	int			id = -1;

	while ((id = bms_next_member(unlisted, id)) >= 0)
	{
		if (deltatx_features[id].support == FEATURE_REFUSED)
			refuse_feature(place, "docs/features.md lists the table features that this version honours.",
						   "schema or properties use table feature \"%s\", which is not supported",
						   deltatx_features[id].name);
	}
	bms_free(unlisted);
}

void
deltatx_features_check_listed(const TableShape *shape, const DocumentPlace *place)
{
	Bitmapset  *unlisted = features_unlisted(shape);

	if (!bms_is_empty(unlisted))
		refuse_feature(place, "Stage a protocol action that lists the feature as well, or use deltatx_alter_table, which does so itself.",
					   "schema or properties use table feature \"%s\", which the table's protocol does not list",
					   deltatx_features[bms_next_member(unlisted, -1)].name);
	bms_free(unlisted);
}

void
deltatx_features_check_enforced(const TableShape *shape, const List *enforced,
								const DocumentPlace *place)
{
	Bitmapset  *used = features_to_vouch_for(shape);
	int			id = -1;

	check_vouchable(enforced, place);
	while ((id = bms_next_member(used, id)) >= 0)
	{
		const char *name = deltatx_features[id].name;

		if (!deltatx_names_contain(enforced, name))
			refuse_feature(place, psprintf("Make sure that the data files fulfil it, and say so with enforced => '{%s}'.", name),
						   "the table uses feature \"%s\", which only the writer of the data files can enforce",
						   name);
	}
	bms_free(used);
}

static Bitmapset *
features_of_fields(Bitmapset *used, const DeltaSchema *schema)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		used = features_of_type(used, schema->fields[i].type);
		used = features_of_metadata(used, schema->fields[i].metadata);
	}
	return used;
}

static Bitmapset *
features_of_type(Bitmapset *used, const DeltaType *type)
{
	check_stack_depth();

	if (type->kind == DELTA_TIMESTAMP_NTZ)
		used = bms_add_member(used, FEATURE_TIMESTAMP_NTZ);
	if (type->kind == DELTA_VARIANT)
		used = bms_add_member(used, FEATURE_VARIANT_TYPE);
	if (type->element != NULL)
		used = features_of_type(used, type->element);
	if (type->key != NULL)
		used = features_of_type(used, type->key);
	return features_of_fields(used, &type->fields);
}

/* The metadata was parsed with its schema, so it has no error that could come up here. */
static Bitmapset *
features_of_metadata(Bitmapset *used, const char *metadata)
{
	DocumentPlace nowhere = {.condition = DTX_MALFORMED_JSON};
	JsonReader	reader;
	JsonObject	object;

	if (strcmp(metadata, "{}") == 0)
		return used;

	deltatx_json_open(&reader, metadata, strlen(metadata), &nowhere, NULL);
	deltatx_json_enter_object(&reader, &object, "metadata");
	while (deltatx_json_next_member(&reader, &object))
	{
		used = feature_of_key(used, reader.key.data);
		deltatx_json_skip(&reader);
	}
	deltatx_json_close(&reader);
	return used;
}

static Bitmapset *
feature_of_key(Bitmapset *used, const char *key)
{
	for (int i = 0; i < lengthof(metadata_uses); i++)
	{
		const MetadataUse *use = &metadata_uses[i];

		if (use->prefix ? strncmp(key, use->key, strlen(use->key)) == 0
			: strcmp(key, use->key) == 0)
			used = bms_add_member(used, use->feature);
	}
	return used;
}

static Bitmapset *
features_used(const TableShape *shape)
{
	return bms_join(deltatx_features_of_schema(shape->schema),
					deltatx_features_of_properties(shape->metadata.configuration));
}

static Bitmapset *
features_unlisted(const TableShape *shape)
{
	Bitmapset  *unlisted = features_used(shape);

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_protocol_supports(&shape->protocol, &deltatx_features[i]))
			unlisted = bms_del_member(unlisted, i);
	}
	return unlisted;
}

/*
 * materializePartitionColumns is the one feature that binds writers as soon as
 * it is listed, where there are partition columns.
 */
static Bitmapset *
features_to_vouch_for(const TableShape *shape)
{
	Bitmapset  *used = features_used(shape);

	if (deltatx_protocol_supports(&shape->protocol,
								  &deltatx_features[FEATURE_MATERIALIZE_PARTITION_COLUMNS]))
		used = bms_add_member(used, FEATURE_MATERIALIZE_PARTITION_COLUMNS);
	if (shape->n_partition_columns == 0)
		used = bms_del_member(used, FEATURE_MATERIALIZE_PARTITION_COLUMNS);

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_features[i].support != FEATURE_VOUCHED)
			used = bms_del_member(used, i);
	}
	return used;
}

static void
check_vouchable(const List *enforced, const DocumentPlace *place)
{
	ListCell   *lc;

	foreach(lc, enforced)
	{
		const Feature *feature = deltatx_feature_named(lfirst(lc));

		if (feature == NULL || feature->support != FEATURE_VOUCHED)
			deltatx_refuse(place, "enforced",
						   "Features to vouch for are invariants, checkConstraints, generatedColumns, identityColumns, allowColumnDefaults, materializePartitionColumns and variantShredding.",
						   "\"%s\" is not a table feature that can be vouched for",
						   (char *) lfirst(lc));
	}
}

/* format: takes the feature's name */
static void
refuse_feature(const DocumentPlace *place, const char *hint, const char *format, const char *name)
{
	DocumentPlace unsupported = *place;

	unsupported.condition = DTX_UNSUPPORTED_FEATURE;
	deltatx_refuse(&unsupported, NULL, hint, format, name);
}
