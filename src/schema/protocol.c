/*-------------------------------------------------------------------------
 *
 * protocol.c
 *	  Protocol actions: made for a table, extended, checked.
 *
 * Readers and writers of the world decide by this action whether they may
 * touch a table, so it claims no more than is needed: reader version 1, which
 * every engine reads, until a column or property needs a reader feature; and
 * writer version 7, where features are listed by name.  "readerFeatures" is
 * there exactly with reader version 3, or engines refuse the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/features.h"

#define READER_WITH_FEATURES	3
#define WRITER_WITH_FEATURES	7

static Bitmapset *features_needed(const DeltaSchema *schema, const List *configuration);
static Bitmapset *features_asked_for(const List *configuration);
static Bitmapset *features_missing(const ProtocolAction *protocol, Bitmapset *needed);
static ProtocolAction *with_features_listed(const ProtocolAction *old);
static void add_feature(ProtocolAction *protocol, const Feature *feature);
static void check_versions(const ProtocolAction *protocol, const DocumentPlace *place);
static void check_lists(const ProtocolAction *protocol, const DocumentPlace *place);
static void check_names(const List *names, const char *field, const DocumentPlace *place);
static void check_honoured(const ProtocolAction *protocol, const DocumentPlace *place);
static void check_both_lists(const ProtocolAction *protocol, const DocumentPlace *place);
static void check_kept(const List *names, const ProtocolAction *new, const char *field,
					   const DocumentPlace *place);
static void refuse_feature(const char *name, const DocumentPlace *place) pg_attribute_noreturn();
static void refuse_dropped(const char *name, const char *field,
						   const DocumentPlace *place) pg_attribute_noreturn();

ProtocolAction *
deltatx_protocol_for(const DeltaSchema *schema, const List *configuration)
{
	ProtocolAction *protocol = palloc0(sizeof(ProtocolAction));
	Bitmapset  *needed = features_needed(schema, configuration);
	int			id = -1;

	protocol->min_reader = 1;
	protocol->min_writer = WRITER_WITH_FEATURES;
	protocol->has_writer_features = true;
	while ((id = bms_next_member(needed, id)) >= 0)
		add_feature(protocol, &deltatx_features[id]);
	return protocol;
}

ProtocolAction *
deltatx_protocol_extended(const ProtocolAction *old, const DeltaSchema *schema,
						  const List *configuration)
{
	Bitmapset  *missing = features_missing(old, features_needed(schema, configuration));
	ProtocolAction *protocol;
	int			id = -1;

	if (bms_is_empty(missing))
		return NULL;

	protocol = with_features_listed(old);
	while ((id = bms_next_member(missing, id)) >= 0)
		add_feature(protocol, &deltatx_features[id]);
	return protocol;
}

void
deltatx_protocol_check(const ProtocolAction *protocol, const DocumentPlace *place)
{
	check_versions(protocol, place);
	check_lists(protocol, place);
	check_honoured(protocol, place);
	check_both_lists(protocol, place);
}

void
deltatx_protocol_check_change(const ProtocolAction *old, const ProtocolAction *new,
							  const DocumentPlace *place)
{
	deltatx_protocol_check(new, place);

	if (new->min_reader < old->min_reader || new->min_writer < old->min_writer)
		deltatx_refuse(place, new->min_reader < old->min_reader ? "minReaderVersion" : "minWriterVersion",
					   NULL, "a protocol version cannot be lowered");

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_protocol_supports(old, &deltatx_features[i]) &&
			!deltatx_protocol_supports(new, &deltatx_features[i]))
			refuse_dropped(deltatx_features[i].name, "writerFeatures", place);
	}
	check_kept(old->reader_features, new, "readerFeatures", place);
	check_kept(old->writer_features, new, "writerFeatures", place);
}

bool
deltatx_protocol_supports(const ProtocolAction *protocol, const Feature *feature)
{
	if (protocol->min_writer >= WRITER_WITH_FEATURES)
		return deltatx_names_contain(protocol->writer_features, feature->name);
	return feature->legacy_writer > 0 && protocol->min_writer >= feature->legacy_writer &&
		protocol->min_reader >= feature->legacy_reader;
}

/*
 * What every table of ours has, what schema and properties use, and what
 * properties ask for.  What we refuse is not listed, so that the check of the
 * shape finds it missing and says so.
 */
static Bitmapset *
features_needed(const DeltaSchema *schema, const List *configuration)
{
	const char *fence = deltatx_property(configuration, "deltatx.fence");
	Bitmapset  *needed = bms_union(deltatx_features_of_schema(schema),
								   deltatx_features_of_properties(configuration));

	needed = bms_add_range(needed, FEATURE_APPEND_ONLY, FEATURE_FENCE);
	if (fence != NULL && strcmp(fence, "false") == 0)
		needed = bms_del_member(needed, FEATURE_FENCE);
	needed = bms_join(needed, features_asked_for(configuration));

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_features[i].support == FEATURE_REFUSED)
			needed = bms_del_member(needed, i);
	}
	return needed;
}

/* delta.feature.deletionVectors = supported; the name's case doesn't matter, as in Spark. */
static Bitmapset *
features_asked_for(const List *configuration)
{
	Bitmapset  *asked = NULL;

	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		char	   *key = psprintf("delta.feature.%s", deltatx_features[i].name);
		ListCell   *lc;

		foreach(lc, configuration)
		{
			if (pg_strcasecmp(((Property *) lfirst(lc))->key, key) == 0)
				asked = bms_add_member(asked, i);
		}
		pfree(key);
	}
	if (bms_is_member(FEATURE_VARIANT_SHREDDING, asked))
		asked = bms_add_member(asked, FEATURE_VARIANT_TYPE);
	return asked;
}

static Bitmapset *
features_missing(const ProtocolAction *protocol, Bitmapset *needed)
{
	Bitmapset  *missing = NULL;
	int			id = -1;

	while ((id = bms_next_member(needed, id)) >= 0)
	{
		if (!deltatx_protocol_supports(protocol, &deltatx_features[id]))
			missing = bms_add_member(missing, id);
	}
	return missing;
}

/* A copy at writer version 7, with what lower versions implied listed by name. */
static ProtocolAction *
with_features_listed(const ProtocolAction *old)
{
	ProtocolAction *protocol = palloc0(sizeof(ProtocolAction));

	protocol->min_reader = old->min_reader;
	protocol->min_writer = WRITER_WITH_FEATURES;
	protocol->has_reader_features = old->has_reader_features;
	protocol->reader_features = deltatx_names_copy(old->reader_features);
	protocol->has_writer_features = true;
	protocol->writer_features = deltatx_names_copy(old->writer_features);
	protocol->extra = old->extra == NULL ? NULL : pstrdup(old->extra);

	if (old->min_writer < WRITER_WITH_FEATURES)
	{
		for (int i = 0; i < FEATURE_COUNT; i++)
		{
			if (deltatx_protocol_supports(old, &deltatx_features[i]))
				add_feature(protocol, &deltatx_features[i]);
		}
	}
	return protocol;
}

/* List the feature, in both lists and at reader version 3 where readers must know it. */
static void
add_feature(ProtocolAction *protocol, const Feature *feature)
{
	protocol->writer_features = lappend(protocol->writer_features, pstrdup(feature->name));
	if (feature->reader)
	{
		protocol->min_reader = READER_WITH_FEATURES;
		protocol->has_reader_features = true;
		protocol->reader_features = lappend(protocol->reader_features, pstrdup(feature->name));
	}
}

static void
check_versions(const ProtocolAction *protocol, const DocumentPlace *place)
{
	DocumentPlace unsupported = *place;

	if (protocol->min_reader < 1)
		deltatx_refuse(place, "minReaderVersion", NULL, "reader version %d does not exist",
					   protocol->min_reader);
	if (protocol->min_writer < 1)
		deltatx_refuse(place, "minWriterVersion", NULL, "writer version %d does not exist",
					   protocol->min_writer);

	unsupported.condition = DTX_UNSUPPORTED_FEATURE;
	if (protocol->min_reader > READER_WITH_FEATURES || protocol->min_writer > WRITER_WITH_FEATURES)
		deltatx_refuse(&unsupported, NULL, NULL,
					   "protocol with reader version %d and writer version %d is not supported",
					   protocol->min_reader, protocol->min_writer);
	if (protocol->min_reader == READER_WITH_FEATURES && protocol->min_writer != WRITER_WITH_FEATURES)
		deltatx_refuse(place, "minWriterVersion", NULL,
					   "reader version %d needs writer version %d",
					   READER_WITH_FEATURES, WRITER_WITH_FEATURES);
}

static void
check_lists(const ProtocolAction *protocol, const DocumentPlace *place)
{
	if (protocol->has_reader_features != (protocol->min_reader == READER_WITH_FEATURES))
		deltatx_refuse(place, "readerFeatures", NULL,
					   "\"readerFeatures\" must be there exactly with reader version %d",
					   READER_WITH_FEATURES);
	if (protocol->has_writer_features != (protocol->min_writer == WRITER_WITH_FEATURES))
		deltatx_refuse(place, "writerFeatures", NULL,
					   "\"writerFeatures\" must be there exactly with writer version %d",
					   WRITER_WITH_FEATURES);
	check_names(protocol->reader_features, "readerFeatures", place);
	check_names(protocol->writer_features, "writerFeatures", place);
}

static void
check_names(const List *names, const char *field, const DocumentPlace *place)
{
	for (int i = 0; i < list_length(names); i++)
	{
		const Feature *feature = deltatx_feature_named(list_nth(names, i));

		if (feature == NULL || feature->support == FEATURE_REFUSED)
			refuse_feature(list_nth(names, i), place);
		for (int j = 0; j < i; j++)
		{
			if (strcmp(list_nth(names, i), list_nth(names, j)) == 0)
				deltatx_refuse(place, field, NULL, "\"%s\" lists \"%s\" twice",
							   field, (char *) list_nth(names, i));
		}
	}
}

/* What low versions imply can't be taken back, so it must be honoured, too. */
static void
check_honoured(const ProtocolAction *protocol, const DocumentPlace *place)
{
	if (protocol->min_reader == 2)
		refuse_feature(deltatx_features[FEATURE_COLUMN_MAPPING].name, place);
	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		if (deltatx_features[i].support == FEATURE_REFUSED &&
			deltatx_protocol_supports(protocol, &deltatx_features[i]))
			refuse_feature(deltatx_features[i].name, place);
	}
}

/* Engines refuse a table that names a reader feature in one list only. */
static void
check_both_lists(const ProtocolAction *protocol, const DocumentPlace *place)
{
	for (int i = 0; i < FEATURE_COUNT; i++)
	{
		const Feature *feature = &deltatx_features[i];
		bool		for_readers = deltatx_names_contain(protocol->reader_features, feature->name);
		bool		for_writers = deltatx_names_contain(protocol->writer_features, feature->name);

		if (for_readers && !feature->reader)
			deltatx_refuse(place, "readerFeatures", NULL,
						   "table feature \"%s\" is for writers only", feature->name);
		if (feature->reader && for_readers != for_writers)
			deltatx_refuse(place, for_readers ? "writerFeatures" : "readerFeatures", NULL,
						   "table feature \"%s\" must be in both \"readerFeatures\" and \"writerFeatures\"",
						   feature->name);
	}

	if (deltatx_protocol_supports(protocol, &deltatx_features[FEATURE_VARIANT_SHREDDING]) &&
		!deltatx_protocol_supports(protocol, &deltatx_features[FEATURE_VARIANT_TYPE]))
		deltatx_refuse(place, "writerFeatures", NULL,
					   "table feature \"variantShredding\" needs \"variantType\" as well");
}

/* Names that we don't know must be kept, too. */
static void
check_kept(const List *names, const ProtocolAction *new, const char *field,
		   const DocumentPlace *place)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (!deltatx_names_contain(strcmp(field, "readerFeatures") == 0 ? new->reader_features : new->writer_features,
					  lfirst(lc)))
			refuse_dropped(lfirst(lc), field, place);
	}
}

static void
refuse_feature(const char *name, const DocumentPlace *place)
{
	DocumentPlace unsupported = *place;

	unsupported.condition = DTX_UNSUPPORTED_FEATURE;
	deltatx_refuse(&unsupported, NULL,
				   "docs/features.md lists the table features that this version honours.",
				   "table feature \"%s\" is not supported", name);
}

static void
refuse_dropped(const char *name, const char *field, const DocumentPlace *place)
{
	deltatx_refuse(place, field, "A protocol action repeats every feature that the table lists already.",
				   "table feature \"%s\" cannot be dropped", name);
}
