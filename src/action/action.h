/*-------------------------------------------------------------------------
 *
 * action.h
 *	  Delta actions as C structures.
 *
 * Field names and their meaning are those of the Delta protocol (section
 * "Actions" of PROTOCOL.md).  What a log line holds beyond the fields below
 * is kept as JSON text in "extra", so that an action that we don't fully know
 * is written back whole.  Strings are NUL-terminated and in the database's
 * encoding, which is UTF8.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_ACTION_H
#define DELTATX_ACTION_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "errors.h"

/* Milliseconds since the Unix epoch, as everywhere in Delta. */
typedef int64 DeltaTimestamp;

typedef enum ActionKind
{
	ACTION_ADD,
	ACTION_REMOVE,
	ACTION_CDC,
	ACTION_METADATA,
	ACTION_PROTOCOL,
	ACTION_TXN,
	ACTION_DOMAIN,
	ACTION_COMMIT_INFO
} ActionKind;

/*
 * "extra" everywhere: the members that have no field of their own here, as
 * JSON without the outer braces ("tags":{"a":"b"},"x":1), exactly as given;
 * NULL when there are none.
 */

/* add, remove and cdc */
typedef struct FileAction
{
	char	   *path;			/* the raw string of the log, never decoded */
	char	   *partition_values;	/* compact JSON object; NULL: not given */
	int64		size;			/* bytes; -1: not given */
	DeltaTimestamp timestamp;	/* modificationTime or deletionTimestamp; -1: not given */
	bool		data_change;
	char	   *stats;			/* the string's content, a JSON document; NULL: none */
	int64		num_records;	/* from stats; -1: unknown */
	char	   *deletion_vector;	/* compact JSON object; NULL: none */
	char	   *dv_id;			/* the protocol's uniqueId of it; NULL: none */
	char	   *extra;			/* tags, baseRowId, ... */
} FileAction;

typedef struct MetadataAction
{
	char	   *id;
	char	   *name;			/* NULL: none */
	char	   *description;	/* NULL: none */
	char	   *format_provider;	/* "parquet" */
	char	   *format_options; /* compact JSON object, "{}" */
	char	   *schema_string;	/* the string's content */
	List	   *partition_columns;	/* of char * */
	List	   *configuration;	/* of Property *, in the given order */
	DeltaTimestamp created_time;	/* -1: not given */
	char	   *extra;
} MetadataAction;

typedef struct Property
{
	char	   *key;
	char	   *value;
} Property;

typedef struct ProtocolAction
{
	int			min_reader;
	int			min_writer;
	bool		has_reader_features;	/* the key is there */
	List	   *reader_features;	/* of char * */
	bool		has_writer_features;
	List	   *writer_features;	/* of char * */
	char	   *extra;
} ProtocolAction;

typedef struct TxnAction
{
	char	   *app_id;
	int64		version;
	DeltaTimestamp last_updated;	/* -1: not given */
	char	   *extra;
} TxnAction;

typedef struct DomainAction
{
	char	   *domain;
	char	   *configuration;	/* the string's content */
	bool		removed;
	char	   *extra;
} DomainAction;

/* What a caller's commitInfo contributes to ours; each may be NULL. */
typedef struct CommitInfoAction
{
	char	   *operation;
	char	   *operation_parameters;	/* compact JSON object, every value a string */
	char	   *operation_metrics;	/* likewise */
	char	   *user_metadata;
	char	   *tags;			/* compact JSON object */
} CommitInfoAction;

typedef struct Action
{
	ActionKind	kind;
	int64		position;		/* 1-based, in the document */
	union
	{
		FileAction	file;
		MetadataAction metadata;
		ProtocolAction protocol;
		TxnAction	txn;
		DomainAction domain;
		CommitInfoAction info;
	}			u;
} Action;

/* The key of an action in a log line: "add", "metaData", ... */
extern const char *deltatx_action_name(ActionKind kind);

/*----------
 * parse.c: documents to actions.
 *
 * text is NDJSON (one action a line) or a JSON array of actions.  Each action
 * is allocated in action_context, which the sink may reset whenever it no
 * longer needs what it was given; the parser keeps nothing there between two
 * calls of the sink.  Memory beyond that is bounded by the longest action.
 *
 * Checks the form: JSON, one known action an object, types and ranges of the
 * known fields, required fields, no duplicate keys.  What depends on a table
 * is deltatx_action_validate's.  Raises MalformedJson and InvalidAction.
 * Returns the number of actions.
 *----------
 */
typedef void (*ActionSink) (Action *action, void *arg);

extern int64 deltatx_action_parse_text(const char *text, size_t length,
									   const char *table_name,
									   MemoryContext action_context,
									   ActionSink sink, void *arg);
extern int64 deltatx_action_parse_jsonb(Jsonb *document, const char *table_name,
										MemoryContext action_context,
										ActionSink sink, void *arg);

/*----------
 * validate.c: what the form can't tell.
 *----------
 */
struct TableShape;				/* schema/shape.h */

typedef enum HivePathsCheck
{
	HIVE_PATHS_OFF,
	HIVE_PATHS_WARNING,
	HIVE_PATHS_ERROR
} HivePathsCheck;

/*
 * Check an action against the table that it is meant for: partition values
 * cover exactly the partition columns and parse as their types, path, stats,
 * deletion vector, appendOnly and the like.  Raises InvalidAction (or
 * UnsupportedFeature), naming table, position and field.  hive_paths: what to
 * do about a partitioned file outside truthful col=value directories; a
 * warning turns it off, so that a document of many files warns once.
 */
extern void deltatx_action_validate(const Action *action,
									const struct TableShape *shape,
									HivePathsCheck *hive_paths,
									const DocumentPlace *place);

/*----------
 * path.c: paths of data files.
 *----------
 */

/* NULL when path is legal in a log; else what is wrong with it (a message without subject). */
extern const char *deltatx_path_problem(const char *path);

/*
 * The relative path of a new file: Hive-style directories for the partition
 * columns, in their order, escaped and then URI-encoded; a random file name
 * ending in suffix.  partition_values: JSON object, validated.
 */
extern char *deltatx_path_new(const struct TableShape *shape,
							  const char *partition_values, const char *suffix);

/* True when the directories of path tell the partition values, as Polars takes them. */
extern bool deltatx_path_is_hive(const struct TableShape *shape, const char *path,
								 const char *partition_values);

/*----------
 * partition.c: partition values and filters.
 *----------
 */

/* A filter, e.g. {"day": "2026-11-01", "hour": {"gte": 3, "lt": 7}, "x": null}, ready to be applied. */
typedef struct PartitionFilter PartitionFilter;

/* Raises InvalidAction for unknown columns and values that don't parse as the column's type. */
extern PartitionFilter *deltatx_partition_filter_parse(Jsonb *filter,
													   const struct TableShape *shape,
													   const DocumentPlace *place);

/* partition_values: the compact JSON object of a file. */
extern bool deltatx_partition_filter_matches(const PartitionFilter *filter,
											 const char *partition_values);

/*
 * partition_values name exactly the partition columns, with values of their
 * types; else InvalidAction.  Part of deltatx_action_validate().
 */
extern void deltatx_partition_values_check(const char *partition_values,
										   const struct TableShape *shape,
										   const DocumentPlace *place);

/*
 * A canonical text of a file's partition values: equal for two files exactly
 * when they are in the same partition (values compare in their types; a
 * missing value, null and "" are the same).
 */
extern char *deltatx_partition_key(const struct TableShape *shape,
								   const char *partition_values);

/*----------
 * serialize.c: actions to log lines.
 *
 * Each appends one line without its newline.  The bytes are a function of the
 * arguments alone, and never change for a given serializer version: a
 * restarted publisher must write what its predecessor wrote.
 *----------
 */
#define DELTATX_SERIALIZER_VERSION	1

extern void deltatx_serialize_add(StringInfo out, const FileAction *add);

/*
 * remove: extendedFileMetadata is true when partition values and size are
 * known, which they always are for files of ours.
 */
extern void deltatx_serialize_remove(StringInfo out, const FileAction *remove);
extern void deltatx_serialize_metadata(StringInfo out, const MetadataAction *metadata);
extern void deltatx_serialize_protocol(StringInfo out, const ProtocolAction *protocol);
extern void deltatx_serialize_txn(StringInfo out, const TxnAction *txn);
extern void deltatx_serialize_domain(StringInfo out, const DomainAction *domain);

/* One participant of a transaction: a table and its version there. */
typedef struct Participant
{
	const char *delta_id;
	int64		version;
} Participant;

typedef struct CommitInfo
{
	DeltaTimestamp stamp;
	const char *operation;
	const char *operation_parameters;	/* JSON object text, values strings; NULL: {} */
	const char *operation_metrics;	/* likewise; NULL: left out */
	const char *user_metadata;	/* NULL: none */
	const char *tags;			/* NULL: none */
	int64		read_version;	/* -1: none */
	const char *isolation;		/* Delta's spelling, "WriteSerializable" */
	bool		is_blind_append;
	const char *engine_info;
	const char *transaction_id; /* uuid */
	const Participant *participants;
	int			n_participants;
} CommitInfo;

extern void deltatx_serialize_commit_info(StringInfo out, const CommitInfo *info);

#endif							/* DELTATX_ACTION_H */
