/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  SQL function: a whole deltatx transaction in one call.
 *
 * The batch is an object whose members are tables, in an order that doesn't
 * matter.  It is read as text, so that a table that is named twice is an error
 * and not half forgotten, as it would be in jsonb; the actions of a table are
 * staged from where they stand in it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "action/json_reader.h"
#include "api/args.h"
#include "api/results.h"
#include "txn/begin.h"
#include "txn/commit.h"
#include "txn/isolation.h"
#include "txn/staging.h"

PG_FUNCTION_INFO_V1(deltatx_commit_batch_jsonb);
PG_FUNCTION_INFO_V1(deltatx_commit_batch_text);

static Datum commit_batch(FunctionCallInfo fcinfo, const char *batch, size_t length);
static int	stage_batch(const char *batch, size_t length);
static void stage_member(JsonReader *reader);
static void take_argument(StageRequest *request, JsonReader *reader);
static void take_actions(StageRequest *request, JsonReader *reader);
static Jsonb *jsonb_of(JsonReader *reader);
static List *strings_of(JsonReader *reader, const char *field);

PGDLLEXPORT Datum
deltatx_commit_batch_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *batch = deltatx_arg_jsonb(fcinfo, 0);
	char	   *text = batch == NULL ? "" : JsonbToCString(NULL, &batch->root, VARSIZE(batch));

	return commit_batch(fcinfo, text, strlen(text));
}

PGDLLEXPORT Datum
deltatx_commit_batch_text(PG_FUNCTION_ARGS)
{
	text	   *batch = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);

	if (batch == NULL)
		return commit_batch(fcinfo, "", 0);
	return commit_batch(fcinfo, VARDATA_ANY(batch), VARSIZE_ANY_EXHDR(batch));
}

/* Begin, stage each member, commit. */
static Datum
commit_batch(FunctionCallInfo fcinfo, const char *batch, size_t length)
{
	char	   *isolation = deltatx_arg_text(fcinfo, 1);
	BeginOptions options = {
		.isolation = isolation == NULL ? -1 : (int) deltatx_isolation_parse(isolation),
		.timeout = -1,
		.idempotency_key = deltatx_arg_text(fcinfo, 2),
		.operation = deltatx_arg_text(fcinfo, 3),
	};
	VersionRow *rows;
	bool		replayed;
	int			n;

	deltatx_require_writable("deltatx_commit_batch");
	(void) deltatx_begin_transaction(&options, false);
	if (length == 0 || stage_batch(batch, length) == 0)
		deltatx_refuse(&(DocumentPlace) {DTX_EMPTY_ACTION_LIST}, "batch",
					   "Pass an object of table names and actions, such as {\"shop.orders\": [{\"add\": {…}}]}.",
					   "batch names no tables");

	n = deltatx_commit_transaction(&rows, &replayed);
	deltatx_return_versions(fcinfo, rows, n, replayed);
	return (Datum) 0;
}

/* Returns the number of tables. */
static int
stage_batch(const char *batch, size_t length)
{
	DocumentPlace place = {DTX_INVALID_ACTION};
	JsonReader	reader;
	JsonObject	tables;
	int			n = 0;

	deltatx_json_open(&reader, batch, length, &place, NULL);
	deltatx_json_enter_object(&reader, &tables, "batch");
	while (deltatx_json_next_member(&reader, &tables))
	{
		reader.place.table_name = pstrdup(reader.key.data);
		stage_member(&reader);
		reader.place.table_name = NULL;
		n++;
	}
	deltatx_json_expect_end(&reader);
	deltatx_json_close(&reader);
	return n;
}

/* Actions, or an object of deltatx_stage's arguments. */
static void
stage_member(JsonReader *reader)
{
	StageRequest request = {
		.table_name = reader->place.table_name,
		.read_version = NO_VERSION,
		.expected_version = NO_VERSION,
	};
	JsonObject	arguments;

	if (deltatx_json_token(reader) != JSON_TOKEN_OBJECT_START)
		take_actions(&request, reader);
	else
	{
		deltatx_json_enter_object(reader, &arguments, "batch");
		while (deltatx_json_next_member(reader, &arguments))
			take_argument(&request, reader);
	}
	if (request.text == NULL)
		deltatx_refuse(&reader->place, "actions",
					   "Pass an array of actions, or an object with the member actions.",
					   "no actions given");
	(void) deltatx_staging_stage(&request);
}

static void
take_argument(StageRequest *request, JsonReader *reader)
{
	const char *name = reader->key.data;

	if (strcmp(name, "actions") == 0)
		take_actions(request, reader);
	else if (strcmp(name, "mode") == 0)
		request->mode = deltatx_stage_mode(deltatx_json_string(reader, "mode"), request->table_name);
	else if (strcmp(name, "read_version") == 0)
		request->read_version = deltatx_json_integer(reader, "read_version", 0, PG_INT64_MAX);
	else if (strcmp(name, "expected_version") == 0)
		request->expected_version = deltatx_json_integer(reader, "expected_version", 0, PG_INT64_MAX);
	else if (strcmp(name, "partition_filter") == 0)
		request->partition_filter = jsonb_of(reader);
	else if (strcmp(name, "operation") == 0)
		request->operation = deltatx_json_string(reader, "operation");
	else if (strcmp(name, "operation_parameters") == 0)
		request->operation_parameters = deltatx_jsonb_parameters(jsonb_of(reader), request->table_name);
	else if (strcmp(name, "enforced") == 0)
		request->enforced = strings_of(reader, "enforced");
	else
		deltatx_refuse(&reader->place, pstrdup(name),
					   "The members are actions and the arguments of deltatx_stage().",
					   "unknown member \"%s\" in batch", name);
}

/* Whether they are actions, staging will see. */
static void
take_actions(StageRequest *request, JsonReader *reader)
{
	request->text = deltatx_json_here(reader);
	deltatx_json_skip(reader);
	request->text_length = deltatx_json_length_since(reader, request->text);
}

static Jsonb *
jsonb_of(JsonReader *reader)
{
	const char *start = deltatx_json_here(reader);

	deltatx_json_skip(reader);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(deltatx_json_since(reader, start))));
}

static List *
strings_of(JsonReader *reader, const char *field)
{
	List	   *result = NIL;
	bool		first;

	deltatx_json_enter_array(reader, &first, field);
	while (deltatx_json_next_element(reader, &first))
		result = lappend(result, deltatx_json_string(reader, field));
	return result;
}
