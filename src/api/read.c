/*-------------------------------------------------------------------------
 *
 * read.c
 *	  SQL functions that read the catalog, and what the views are made with.
 *
 * deltatx_files and deltatx_history are plain SQL, so that the planner reads
 * no more than the query needs.  What they can't say in SQL is here: who may
 * see a table, which version a question means, how a log line looks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "api/args.h"
#include "catalog/log.h"
#include "catalog/scope.h"
#include "catalog/tables.h"
#include "catalog/versions.h"
#include "schema/shape.h"
#include "txn/rights.h"
#include "txn/stamp.h"

/* A row of dl_add_files as it goes into deltatx_add_line. */
enum AddLineArgument
{
	LINE_PATH,
	LINE_PARTITION_VALUES,
	LINE_SIZE,
	LINE_MODIFICATION_TIME,
	LINE_DATA_CHANGE,
	LINE_STATS,
	LINE_DELETION_VECTOR,
	LINE_EXTRA
};

/* What deltatx_partition_matches keeps between calls. */
typedef struct KnownFilter
{
	MemoryContext context;		/* holds all of it */
	const char *table_name;
	Jsonb	   *document;
	PartitionFilter *filter;
} KnownFilter;

PG_FUNCTION_INFO_V1(deltatx_version);
PG_FUNCTION_INFO_V1(deltatx_log);
PG_FUNCTION_INFO_V1(deltatx_may_use);
PG_FUNCTION_INFO_V1(deltatx_readable_table);
PG_FUNCTION_INFO_V1(deltatx_readable_version);
PG_FUNCTION_INFO_V1(deltatx_partition_matches);
PG_FUNCTION_INFO_V1(deltatx_jsonb_or_null);
PG_FUNCTION_INFO_V1(deltatx_add_line);

static TableRef *readable_table(const char *table_name, Oid user);
static int64 readable_version(const TableRef *table, FunctionCallInfo fcinfo, int version, int as_of);
static void return_line(const StringInfo line, void *arg);
static const PartitionFilter *known_filter(FmgrInfo *call_site, const char *table_name, Jsonb *document);
static PartitionFilter *parse_filter(const char *table_name, Jsonb *document);
static bool jsonb_can_hold(const char *json, size_t length);

PGDLLEXPORT Datum
deltatx_version(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	CatalogScope scope;
	TableRef   *table;
	int64		version;

	deltatx_scope_enter_reading(&scope);
	table = readable_table(table_name, scope.user);
	version = readable_version(table, fcinfo, -1, 1);
	deltatx_scope_leave(&scope);
	PG_RETURN_INT64(version);
}

PGDLLEXPORT Datum
deltatx_log(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	CatalogScope scope;
	TableRef   *table;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	deltatx_scope_enter_reading(&scope);
	table = readable_table(table_name, scope.user);
	deltatx_log_write(table->table_id, readable_version(table, fcinfo, 1, -1),
					  return_line, fcinfo->resultinfo);
	deltatx_scope_leave(&scope);
	return (Datum) 0;
}

/* Whether the current user may use what a role owns. */
PGDLLEXPORT Datum
deltatx_may_use(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(deltatx_rights_has(text_to_cstring(PG_GETARG_TEXT_PP(0)), GetUserId()));
}

/* The id of a table that the current user may use. */
PGDLLEXPORT Datum
deltatx_readable_table(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	CatalogScope scope;
	int64		table_id;

	deltatx_scope_enter_reading(&scope);
	table_id = readable_table(table_name, scope.user)->table_id;
	deltatx_scope_leave(&scope);
	PG_RETURN_INT64(table_id);
}

/* The version that a version number, a time, or neither means. */
PGDLLEXPORT Datum
deltatx_readable_version(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	CatalogScope scope;
	int64		version;

	deltatx_scope_enter_reading(&scope);
	version = readable_version(readable_table(table_name, scope.user), fcinfo, 1, 2);
	deltatx_scope_leave(&scope);
	PG_RETURN_INT64(version);
}

/* Whether partition values match a filter. */
PGDLLEXPORT Datum
deltatx_partition_matches(PG_FUNCTION_ARGS)
{
	const PartitionFilter *filter = known_filter(fcinfo->flinfo,
												 text_to_cstring(PG_GETARG_TEXT_PP(0)),
												 PG_GETARG_JSONB_P(1));

	PG_RETURN_BOOL(deltatx_partition_filter_matches(filter, text_to_cstring(PG_GETARG_TEXT_PP(2))));
}

/* JSON text as jsonb, NULL where jsonb can't hold it. */
PGDLLEXPORT Datum
deltatx_jsonb_or_null(PG_FUNCTION_ARGS)
{
	char	   *json = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (!jsonb_can_hold(json, strlen(json)))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}

/* The log line of an add, as text. */
PGDLLEXPORT Datum
deltatx_add_line(PG_FUNCTION_ARGS)
{
	FileAction	add = {
		.path = deltatx_arg_text(fcinfo, LINE_PATH),
		.partition_values = deltatx_arg_text(fcinfo, LINE_PARTITION_VALUES),
		.size = PG_GETARG_INT64(LINE_SIZE),
		.timestamp = PG_GETARG_INT64(LINE_MODIFICATION_TIME),
		.data_change = PG_GETARG_BOOL(LINE_DATA_CHANGE),
		.stats = deltatx_arg_text(fcinfo, LINE_STATS),
		.deletion_vector = deltatx_arg_text(fcinfo, LINE_DELETION_VECTOR),
		.extra = deltatx_arg_text(fcinfo, LINE_EXTRA),
	};
	StringInfoData line;

	/* A row that an outer join made up. */
	if (PG_ARGISNULL(LINE_PATH))
		PG_RETURN_NULL();
	initStringInfo(&line);
	deltatx_serialize_add(&line, &add);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(line.data, line.len));
}

static TableRef *
readable_table(const char *table_name, Oid user)
{
	TableRef   *table = deltatx_table_find(table_name);

	if (table == NULL)
		deltatx_rights_refuse_missing(table_name);
	deltatx_rights_require(table->owner_name, user, table_name);
	return table;
}

/* version and as_of: numbers of arguments, -1 for one that the function doesn't have. */
static int64
readable_version(const TableRef *table, FunctionCallInfo fcinfo, int version_arg, int as_of_arg)
{
	int64		version = table->current_version;

	if (version_arg >= 0 && !PG_ARGISNULL(version_arg))
		version = PG_GETARG_INT64(version_arg);
	else if (as_of_arg >= 0 && !PG_ARGISNULL(as_of_arg))
	{
		TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(as_of_arg);

		version = deltatx_version_at(table->table_id, deltatx_stamp_of_timestamptz(as_of));
		if (version < 0)
			ereport(ERROR,
					(deltatx_condition(DTX_VERSION_NOT_FOUND, table->table_name),
					 errmsg("table \"%s\" did not exist at %s", table->table_name,
							timestamptz_to_str(as_of)),
					 errhint("deltatx_history() shows when each version was committed.")));
	}
	if (version < 0 || version > table->current_version)
		deltatx_rights_refuse_version(table->table_name, version, table->current_version);
	return version;
}

static void
return_line(const StringInfo line, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[1] = {PointerGetDatum(cstring_to_text_with_len(line->data, line->len))};
	bool		nulls[1] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
}

/*
 * A query asks for every file, mostly with one filter: what was parsed is kept
 * with the call site.  It need not stay the same, as the filter may come from
 * a row (LATERAL).
 */
static const PartitionFilter *
known_filter(FmgrInfo *call_site, const char *table_name, Jsonb *document)
{
	KnownFilter *known = call_site->fn_extra;
	MemoryContext context;
	MemoryContext old;

	if (known != NULL && strcmp(known->table_name, table_name) == 0 &&
		VARSIZE(known->document) == VARSIZE(document) &&
		memcmp(known->document, document, VARSIZE(document)) == 0)
		return known->filter;

	call_site->fn_extra = NULL;
	if (known != NULL)
		MemoryContextDelete(known->context);

	context = AllocSetContextCreate(call_site->fn_mcxt, "deltatx known filter",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	known = palloc(sizeof(KnownFilter));
	known->context = context;
	known->table_name = pstrdup(table_name);
	known->document = memcpy(palloc(VARSIZE(document)), document, VARSIZE(document));
	known->filter = parse_filter(table_name, document);
	MemoryContextSwitchTo(old);

	call_site->fn_extra = known;
	return known->filter;
}

/* In the current memory context. */
static PartitionFilter *
parse_filter(const char *table_name, Jsonb *document)
{
	MemoryContext caller = CurrentMemoryContext;
	CatalogScope scope;
	const TableShape *shape;
	PartitionFilter *filter;

	deltatx_scope_enter_reading(&scope);
	shape = deltatx_table_shape(readable_table(table_name, scope.user));
	MemoryContextSwitchTo(caller);
	filter = deltatx_partition_filter_parse(document, shape,
											&(DocumentPlace) {DTX_INVALID_ACTION, table_name});
	deltatx_scope_leave(&scope);
	return filter;
}

/*
 * What json allows and jsonb doesn't: \u0000, and numbers beyond the range of
 * numeric.  The text is JSON that was checked when it was staged.  Numbers are
 * judged by the length of exponent or digits, on the safe side.
 */
static bool
jsonb_can_hold(const char *json, size_t length)
{
	bool		in_string = false;
	bool		in_exponent = false;
	int			digits = 0;

	for (size_t i = 0; i < length; i++)
	{
		char		c = json[i];

		if (in_string && c == '\\')
		{
			if (strncmp(json + i, "\\u0000", 6) == 0)
				return false;
			i++;
		}
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && c >= '0' && c <= '9')
			digits++;
		else if (!in_string && (c == 'e' || c == 'E') && digits > 0)
		{
			in_exponent = true;
			digits = 0;
		}
		else if (c != '+' && c != '-' && c != '.')
		{
			digits = 0;
			in_exponent = false;
		}
		if (digits > (in_exponent ? 4 : 1000))
			return false;
	}
	return true;
}
