/*-------------------------------------------------------------------------
 *
 * properties.c
 *	  Table properties: those of Delta, our own, and those of users.
 *
 * A property that an engine doesn't understand is ignored there without a
 * word, so a misspelt delta.* one would be believed in and do nothing.  Every
 * name under "delta." and "deltatx." must therefore be one that we know, in
 * its exact spelling, and its value one that engines can read.  Other names
 * are the user's own.
 *
 * docs/features.md lists what is in the table below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "schema/features.h"

typedef enum PropertyKind
{
	PROPERTY_BOOLEAN,
	PROPERTY_INTEGER,			/* from "least" on */
	PROPERTY_INTERVAL,			/* "interval 30 days" */
	PROPERTY_SIZE,				/* bytes, "100mb" */
	PROPERTY_CHOICE,			/* one of "choices" */
	PROPERTY_TEXT,				/* anything but nothing */
	PROPERTY_REFUSED
} PropertyKind;

typedef struct PropertyInfo
{
	const char *name;
	PropertyKind kind;
	int			least;
	const char *choices;		/* separated by commas */
	const char *feature;		/* another choice needs this feature, which we don't support */
	const char *hint;			/* refused: what to do instead */
} PropertyInfo;

#define ANY_INTERVAL	PROPERTY_INTERVAL, 0, NULL, NULL, NULL
#define ANY_BOOLEAN		PROPERTY_BOOLEAN, 0, NULL, NULL, NULL
#define SWITCHED_BY_US \
	"In-commit timestamps are on in every table from its first version; leave the property out."
#define MADE_BY_US \
	"deltatx chooses the protocol's versions by what the table needs; leave the property out."

static const PropertyInfo properties[] = {
	{"delta.appendOnly", ANY_BOOLEAN},
	{"delta.autoOptimize", ANY_BOOLEAN},
	{"delta.autoOptimize.autoCompact", PROPERTY_CHOICE, 0, "true,false,auto,legacy"},
	{"delta.autoOptimize.optimizeWrite", ANY_BOOLEAN},
	{"delta.checkpoint.writeStatsAsJson", ANY_BOOLEAN},
	{"delta.checkpoint.writeStatsAsStruct", ANY_BOOLEAN},
	{"delta.checkpointInterval", PROPERTY_INTEGER, 1},
	{"delta.checkpointPolicy", PROPERTY_CHOICE, 0, "classic,v2"},
	{"delta.checkpointRetentionDuration", ANY_INTERVAL},
	{"delta.columnMapping.mode", PROPERTY_CHOICE, 0, "none", "columnMapping"},
	{"delta.columnMapping.maxColumnId", PROPERTY_REFUSED, .feature = "columnMapping"},
	{"delta.compatibility.symlinkFormatManifest.enabled", PROPERTY_CHOICE, 0, "false", "symlinkFormatManifest"},
	{"delta.dataSkippingNumIndexedCols", PROPERTY_INTEGER, -1},
	{"delta.dataSkippingStatsColumns", PROPERTY_TEXT},
	{"delta.dataSkippingStringPrefixLength", PROPERTY_INTEGER, 0},
	{"delta.deletedFileRetentionDuration", ANY_INTERVAL},
	{"delta.dropFeatureTruncateHistory.retentionDuration", ANY_INTERVAL},
	{"delta.enableChangeDataCapture", PROPERTY_CHOICE, 0, "false", "changeDataFeed"},
	{"delta.enableChangeDataFeed", PROPERTY_CHOICE, 0, "false", "changeDataFeed"},
	{"delta.enableDeletionVectors", ANY_BOOLEAN},
	{"delta.enableExpiredLogCleanup", ANY_BOOLEAN},
	{"delta.enableFullRetentionRollback", ANY_BOOLEAN},
	{"delta.enableIcebergCompatV1", PROPERTY_CHOICE, 0, "false", "icebergCompatV1"},
	{"delta.enableIcebergCompatV2", PROPERTY_CHOICE, 0, "false", "icebergCompatV2"},
	{"delta.enableIcebergCompatV3", PROPERTY_CHOICE, 0, "false", "icebergCompatV3"},
	{"delta.enableInCommitTimestamps", PROPERTY_CHOICE, 0, "true", NULL, SWITCHED_BY_US},
	{"delta.enableMaterializePartitionColumnsFeature", ANY_BOOLEAN},
	{"delta.enableRowTracking", PROPERTY_CHOICE, 0, "false", "rowTracking"},
	{"delta.enableTypeWidening", PROPERTY_CHOICE, 0, "false", "typeWidening"},
	{"delta.enableVariantShredding", ANY_BOOLEAN},
	{"delta.inCommitTimestampEnablementTimestamp", PROPERTY_REFUSED, .hint = SWITCHED_BY_US},
	{"delta.inCommitTimestampEnablementVersion", PROPERTY_REFUSED, .hint = SWITCHED_BY_US},
	{"delta.isolationLevel", PROPERTY_CHOICE, 0, "Serializable,WriteSerializable,SnapshotIsolation"},
	{"delta.logRetentionDuration", ANY_INTERVAL},
	{"delta.minReaderVersion", PROPERTY_REFUSED, .hint = MADE_BY_US},
	{"delta.minWriterVersion", PROPERTY_REFUSED, .hint = MADE_BY_US},
	{"delta.parquet.compression.codec", PROPERTY_CHOICE, 0, "uncompressed,none,snappy,gzip,lz4,lz4_raw,brotli,zstd"},
	{"delta.parquet.format.version", PROPERTY_TEXT},
	{"delta.randomPrefixLength", PROPERTY_INTEGER, 1},
	{"delta.randomizeFilePrefixes", ANY_BOOLEAN},
	{"delta.redirectReaderWriter-preview", PROPERTY_REFUSED, .feature = "redirectReaderWriter-preview"},
	{"delta.redirectWriterOnly-preview", PROPERTY_REFUSED, .feature = "redirectWriterOnly-preview"},
	{"delta.requireCheckpointProtectionBeforeVersion", PROPERTY_REFUSED,
	.hint = "Only dropping a table feature sets it, which no engine can do here; leave the property out."},
	{"delta.rowTrackingSuspended", PROPERTY_CHOICE, 0, "false", "rowTracking"},
	{"delta.sampleRetentionDuration", ANY_INTERVAL},
	{"delta.setTransactionRetentionDuration", ANY_INTERVAL},
	{"delta.targetFileSize", PROPERTY_SIZE},
	{"delta.tuneFileSizesForRewrites", ANY_BOOLEAN},
	{"delta.writePartitionColumnsToParquet", ANY_BOOLEAN},
	{"deltatx.fence", ANY_BOOLEAN},
};

/* Delta's names under these belong together. */
static const char constraint_prefix[] = "delta.constraints.";
static const char feature_prefix[] = "delta.feature.";
static const char universal_prefix[] = "delta.universalFormat.";
static const char coordinated_prefix[] = "delta.coordinatedCommits.";

static void check_property(const Property *property, const DocumentPlace *place);
static void check_reserved(const Property *property, const DocumentPlace *place);
static void check_value(const PropertyInfo *info, const char *value, const DocumentPlace *place);
static void check_choice(const PropertyInfo *info, const char *value, const DocumentPlace *place);
static void check_integer(const PropertyInfo *info, const char *value, const DocumentPlace *place);
static void check_constraint(const Property *property, const DocumentPlace *place);
static void check_feature(const Property *property, const DocumentPlace *place);
static bool has_prefix(const char *name, const char *prefix);
static bool is_choice(const char *value, const char *choices);
static bool is_interval(const char *value);
static bool is_unit(const char *word, int length);
static bool is_size(const char *value);
static void refuse_value(const PropertyInfo *info, const char *value, const char *wanted,
						 const DocumentPlace *place) pg_attribute_noreturn();
static void refuse_name(const char *name, const DocumentPlace *place) pg_attribute_noreturn();
static void refuse_feature(const char *feature, const char *name,
						   const DocumentPlace *place) pg_attribute_noreturn();
static Property *make_property(const char *key, const char *value);
static char *text_of(const JsonbValue *value, const char *key, const DocumentPlace *place);

void
deltatx_properties_check(const List *configuration, const DocumentPlace *place)
{
	ListCell   *lc;

	foreach(lc, configuration)
		check_property(lfirst(lc), place);
}

const char *
deltatx_property(const List *configuration, const char *key)
{
	ListCell   *lc;

	foreach(lc, configuration)
	{
		const Property *property = lfirst(lc);

		if (strcmp(property->key, key) == 0)
			return property->value;
	}
	return NULL;
}

List *
deltatx_properties_from_jsonb(Jsonb *document, const DocumentPlace *place)
{
	List	   *result = NIL;
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(document))
		deltatx_refuse(place, "properties", "Give an object such as {\"delta.appendOnly\": true}.",
					   "properties are not a JSON object");

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		result = lappend(result, make_property(key, text_of(&value, key, place)));
	}
	return result;
}

List *
deltatx_properties_copy(const List *configuration)
{
	List	   *copy = NIL;
	ListCell   *lc;

	foreach(lc, configuration)
	{
		const Property *property = lfirst(lc);

		copy = lappend(copy, make_property(property->key, property->value));
	}
	return copy;
}

static void
check_property(const Property *property, const DocumentPlace *place)
{
	if (property->key[0] == '\0')
		deltatx_refuse(place, "properties", NULL, "a property has an empty name");

	if (pg_strncasecmp(property->key, "delta.", strlen("delta.")) == 0 ||
		pg_strncasecmp(property->key, "deltatx.", strlen("deltatx.")) == 0)
		check_reserved(property, place);
}

static void
check_reserved(const Property *property, const DocumentPlace *place)
{
	const char *name = property->key;

	for (int i = 0; i < lengthof(properties); i++)
	{
		if (strcmp(properties[i].name, name) == 0)
		{
			check_value(&properties[i], property->value, place);
			return;
		}
	}
	if (has_prefix(name, constraint_prefix))
		check_constraint(property, place);
	else if (has_prefix(name, feature_prefix))
		check_feature(property, place);
	else if (has_prefix(name, universal_prefix))
		refuse_feature("universalFormat", name, place);
	else if (has_prefix(name, coordinated_prefix))
		refuse_feature("coordinatedCommits-preview", name, place);
	else
		refuse_name(name, place);
}

static void
check_value(const PropertyInfo *info, const char *value, const DocumentPlace *place)
{
	switch (info->kind)
	{
		case PROPERTY_BOOLEAN:
			if (!is_choice(value, "true,false"))
				refuse_value(info, value, "true or false", place);
			break;
		case PROPERTY_INTEGER:
			check_integer(info, value, place);
			break;
		case PROPERTY_INTERVAL:
			if (!is_interval(value))
				refuse_value(info, value, "an interval such as \"interval 30 days\", without months and years", place);
			break;
		case PROPERTY_SIZE:
			if (!is_size(value))
				refuse_value(info, value, "a size such as \"104857600\" or \"100mb\"", place);
			break;
		case PROPERTY_CHOICE:
			check_choice(info, value, place);
			break;
		case PROPERTY_TEXT:
			if (value[0] == '\0')
				refuse_value(info, value, "some text", place);
			break;
		case PROPERTY_REFUSED:
			if (info->feature != NULL)
				refuse_feature(info->feature, info->name, place);
			deltatx_refuse(place, "properties", info->hint,
						   "property \"%s\" cannot be set", info->name);
	}
}

/* Where the only choice is to leave a feature off, say so. */
static void
check_choice(const PropertyInfo *info, const char *value, const DocumentPlace *place)
{
	if (is_choice(value, info->choices))
		return;
	if (info->feature != NULL)
		refuse_feature(info->feature, info->name, place);
	if (info->hint != NULL)
		deltatx_refuse(place, "properties", info->hint,
					   "property \"%s\" cannot be \"%s\"", info->name, value);
	refuse_value(info, value, psprintf("one of %s", info->choices), place);
}

static void
check_integer(const PropertyInfo *info, const char *value, const DocumentPlace *place)
{
	char	   *end;
	long		number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (value[strspn(value, "-0123456789")] != '\0' || end == value || *end != '\0' ||
		errno != 0 || number > PG_INT32_MAX || number < info->least)
		refuse_value(info, value, psprintf("a whole number from %d on", info->least), place);
}

/* The expression is for engines to evaluate: nothing here can. */
static void
check_constraint(const Property *property, const DocumentPlace *place)
{
	if (property->key[strlen(constraint_prefix)] == '\0' || property->value[0] == '\0')
		deltatx_refuse(place, "properties",
					   "Give name and expression, for example {\"delta.constraints.positive\": \"amount > 0\"}.",
					   "property \"%s\" is not a constraint", property->key);
}

static void
check_feature(const Property *property, const DocumentPlace *place)
{
	const char *name = property->key + strlen(feature_prefix);

	if (strcmp(property->value, "supported") != 0)
		deltatx_refuse(place, "properties", "The only value is \"supported\".",
					   "invalid value \"%s\" for property \"%s\"", property->value, property->key);

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_features[i].support != FEATURE_REFUSED &&
			pg_strcasecmp(deltatx_features[i].name, name) == 0)
			return;
	}
	refuse_feature(name, property->key, place);
}

static bool
has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool
is_choice(const char *value, const char *choices)
{
	int			length = strlen(value);

	for (const char *choice = choices;; choice++)
	{
		int			n = strcspn(choice, ",");

		if (n == length && strncmp(choice, value, n) == 0)
			return true;
		choice += n;
		if (*choice == '\0')
			return false;
	}
}

/* [interval] number unit { number unit }, as Spark reads it; months have no fixed length. */
static bool
is_interval(const char *value)
{
	bool		found = false;

	value += strspn(value, " ");
	if (pg_strncasecmp(value, "interval ", strlen("interval ")) == 0)
		value += strlen("interval ");

	for (;;)
	{
		int			digits;
		int			letters;

		value += strspn(value, " ");
		if (*value == '\0')
			return found;
		digits = strspn(value, "0123456789");
		value += digits;
		value += strspn(value, " ");
		letters = strcspn(value, " ");
		if (digits == 0 || digits > 9 || !is_unit(value, letters))
			return false;
		value += letters;
		found = true;
	}
}

static bool
is_unit(const char *word, int length)
{
	static const char *const units[] = {
		"week", "day", "hour", "minute", "second", "millisecond", "microsecond",
	};

	if (length > 1 && pg_tolower(word[length - 1]) == 's')
		length--;
	for (int i = 0; i < lengthof(units); i++)
	{
		if (strlen(units[i]) == length && pg_strncasecmp(units[i], word, length) == 0)
			return true;
	}
	return false;
}

static bool
is_size(const char *value)
{
	int			digits = strspn(value, "0123456789");
	char	   *unit = pstrdup(value + digits);

	for (char *c = unit; *c != '\0'; c++)
		*c = pg_tolower(*c);
	return digits > 0 && digits <= 18 &&
		(unit[0] == '\0' || is_choice(unit, "b,k,kb,m,mb,g,gb,t,tb"));
}

static void
refuse_value(const PropertyInfo *info, const char *value, const char *wanted,
			 const DocumentPlace *place)
{
	deltatx_refuse(place, "properties", psprintf("It must be %s.", wanted),
				   "invalid value \"%s\" for property \"%s\"", value, info->name);
}

/* Spark takes these names in any case and corrects it; in a log only the exact one counts. */
static void
refuse_name(const char *name, const DocumentPlace *place)
{
	for (int i = 0; i < lengthof(properties); i++)
	{
		if (pg_strcasecmp(properties[i].name, name) == 0)
			deltatx_refuse(place, "properties", psprintf("Write it \"%s\".", properties[i].name),
						   "property \"%s\" is not known", name);
	}
	deltatx_refuse(place, "properties",
				   "docs/features.md lists the properties under \"delta.\" and \"deltatx.\"; other names are free.",
				   "property \"%s\" is not known", name);
}

static void
refuse_feature(const char *feature, const char *name, const DocumentPlace *place)
{
	DocumentPlace unsupported = *place;

	unsupported.condition = DTX_UNSUPPORTED_FEATURE;
	deltatx_refuse(&unsupported, "properties",
				   "docs/features.md lists the table features that this version honours.",
				   "property \"%s\" needs feature \"%s\", which is not supported", name, feature);
}

static Property *
make_property(const char *key, const char *value)
{
	Property   *property = palloc(sizeof(Property));

	property->key = pstrdup(key);
	property->value = pstrdup(value);
	return property;
}

/* In a log all values are strings. */
static char *
text_of(const JsonbValue *value, const char *key, const DocumentPlace *place)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		default:
			deltatx_refuse(place, "properties",
						   "unset_properties of deltatx_alter_table takes a property away.",
						   "value of property \"%s\" is not a string, number or boolean", key);
	}
}
