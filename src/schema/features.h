/*-------------------------------------------------------------------------
 *
 * features.h
 *	  The table features that we know, and what uses them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SCHEMA_FEATURES_H
#define DELTATX_SCHEMA_FEATURES_H

#include "nodes/bitmapset.h"

#include "schema/shape.h"

/*
 * In the order in which a new protocol lists them.  The first five are those
 * of every table of ours.
 */
typedef enum FeatureId
{
	FEATURE_APPEND_ONLY,
	FEATURE_INVARIANTS,
	FEATURE_IN_COMMIT_TIMESTAMP,
	FEATURE_DOMAIN_METADATA,
	FEATURE_FENCE,
	FEATURE_CHECK_CONSTRAINTS,
	FEATURE_GENERATED_COLUMNS,
	FEATURE_IDENTITY_COLUMNS,
	FEATURE_COLUMN_DEFAULTS,
	FEATURE_MATERIALIZE_PARTITION_COLUMNS,
	FEATURE_CHECKPOINT_PROTECTION,
	FEATURE_TIMESTAMP_NTZ,
	FEATURE_VARIANT_TYPE,
	FEATURE_VARIANT_SHREDDING,
	FEATURE_DELETION_VECTORS,
	FEATURE_V2_CHECKPOINT,
	FEATURE_VACUUM_PROTOCOL_CHECK,
	FEATURE_CHANGE_DATA_FEED,
	FEATURE_COLUMN_MAPPING,
	FEATURE_TYPE_WIDENING,
	FEATURE_ROW_TRACKING,
	FEATURE_COLLATIONS,
	FEATURE_COUNT
} FeatureId;

typedef enum FeatureSupport
{
	FEATURE_HONOURED,
	FEATURE_VOUCHED,			/* honoured; where used, new files only if the caller vouches */
	FEATURE_REFUSED
} FeatureSupport;

typedef struct Feature
{
	const char *name;
	FeatureSupport support;
	bool		reader;			/* listed for readers, too */
	int			legacy_reader;	/* reader version that implies it; 0: none */
	int			legacy_writer;	/* writer version that implies it; 0: none */
} Feature;

extern const Feature deltatx_features[FEATURE_COUNT];

/* NULL for a name that we don't know; case matters. */
extern const Feature *deltatx_feature_named(const char *name);

/* names: list of char * */
extern bool deltatx_names_contain(const List *names, const char *name);
extern List *deltatx_names_copy(const List *names);

/* Of FeatureId: what columns and properties use, whether we honour it or not. */
extern Bitmapset *deltatx_features_of_schema(const DeltaSchema *schema);
extern Bitmapset *deltatx_features_of_properties(const List *configuration);

/* Does the protocol list the feature, or imply it by its versions? */
extern bool deltatx_protocol_supports(const ProtocolAction *protocol, const Feature *feature);

/* Into the current memory context. */
extern List *deltatx_properties_copy(const List *configuration);

/*
 * Schema and properties use no feature that we refuse, unless the protocol
 * lists it: then it was there before us.  Else UnsupportedFeature.
 */
extern void deltatx_features_check_supported(const TableShape *shape, const DocumentPlace *place);

/* Schema and properties use no feature that the protocol doesn't list; else UnsupportedFeature. */
extern void deltatx_features_check_listed(const TableShape *shape, const DocumentPlace *place);

#endif							/* DELTATX_SCHEMA_FEATURES_H */
