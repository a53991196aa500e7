/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  SQL function: a whole deltatx transaction in one call.
 *
 * The batch is an object whose members are tables, in an order that doesn't
 * matter.  It is read as jsonb, in text form, too: of a name that is given
 * twice the last one counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/args.h"
#include "api/results.h"
#include "txn/begin.h"
#include "txn/commit.h"
#include "txn/isolation.h"
#include "txn/staging.h"

PG_FUNCTION_INFO_V1(deltatx_commit_batch_jsonb);
PG_FUNCTION_INFO_V1(deltatx_commit_batch_text);

static Datum commit_batch(FunctionCallInfo fcinfo, Jsonb *batch);
static void stage_member(const char *table_name, JsonbValue *value);
static void take_option(StageRequest *request, const char *key, JsonbValue *value);
static char *string_of(JsonbValue *value, const char *key, const char *table_name);
static int64 version_of(JsonbValue *value, const char *key, const char *table_name);
static List *strings_of(Jsonb *array, const char *key, const char *table_name);

PGDLLEXPORT Datum
deltatx_commit_batch_jsonb(PG_FUNCTION_ARGS)
{
	deltatx_require_writable("deltatx_commit_batch");
	return commit_batch(fcinfo, PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0));
}

PGDLLEXPORT Datum
deltatx_commit_batch_text(PG_FUNCTION_ARGS)
{
	char	   *batch = deltatx_arg_text(fcinfo, 0);

	deltatx_require_writable("deltatx_commit_batch");
	return commit_batch(fcinfo, batch == NULL ? NULL :
						DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(batch))));
}

/* Begin, stage each member, commit. */
static Datum
commit_batch(FunctionCallInfo fcinfo, Jsonb *batch)
{
	char	   *isolation = deltatx_arg_text(fcinfo, 1);
	BeginOptions options = {
		.isolation = isolation == NULL ? -1 : (int) deltatx_isolation_parse(isolation),
		.timeout = -1,
		.idempotency_key = deltatx_arg_text(fcinfo, 2),
		.operation = deltatx_arg_text(fcinfo, 3),
	};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *table_name = NULL;
	VersionRow *rows;
	bool		replayed;
	int			n;

	if (batch == NULL || !JB_ROOT_IS_OBJECT(batch) || JB_ROOT_COUNT(batch) == 0)
		deltatx_refuse(&(DocumentPlace) {DTX_EMPTY_ACTION_LIST}, "batch",
					   "Pass an object of table names and actions, such as {\"shop.orders\": [{\"add\": {…}}]}.",
					   "batch names no tables");

	(void) deltatx_begin_transaction(&options, false);
	iterator = JsonbIteratorInit(&batch->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			table_name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			stage_member(table_name, &value);
	}
	n = deltatx_commit_transaction(&rows, &replayed);
	deltatx_return_versions(fcinfo, rows, n, replayed);
	return (Datum) 0;
}

/* An array of actions, or an object of deltatx_stage's arguments. */
static void
stage_member(const char *table_name, JsonbValue *value)
{
	StageRequest request = {
		.table_name = table_name,
		.read_version = NO_VERSION,
		.expected_version = NO_VERSION,
	};
	Jsonb	   *member = JsonbValueToJsonb(value);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	char	   *key = NULL;

	if (JB_ROOT_IS_ARRAY(member) && !JB_ROOT_IS_SCALAR(member))
		request.jsonb = member;
	else if (JB_ROOT_IS_OBJECT(member))
	{
		iterator = JsonbIteratorInit(&member->root);
		while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				key = pnstrdup(item.val.string.val, item.val.string.len);
			else if (token == WJB_VALUE)
				take_option(&request, key, &item);
		}
	}
	if (request.jsonb == NULL)
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, "actions",
					   "Pass an array of actions, or an object with the member actions.",
					   "no actions given");
	(void) deltatx_staging_stage(&request);
}

static void
take_option(StageRequest *request, const char *key, JsonbValue *value)
{
	const char *table_name = request->table_name;

	if (strcmp(key, "actions") == 0)
		request->jsonb = JsonbValueToJsonb(value);
	else if (strcmp(key, "mode") == 0)
		request->mode = deltatx_stage_mode(string_of(value, key, table_name), table_name);
	else if (strcmp(key, "read_version") == 0)
		request->read_version = version_of(value, key, table_name);
	else if (strcmp(key, "expected_version") == 0)
		request->expected_version = version_of(value, key, table_name);
	else if (strcmp(key, "partition_filter") == 0)
		request->partition_filter = JsonbValueToJsonb(value);
	else if (strcmp(key, "operation") == 0)
		request->operation = string_of(value, key, table_name);
	else if (strcmp(key, "operation_parameters") == 0)
		request->operation_parameters = deltatx_jsonb_parameters(JsonbValueToJsonb(value), table_name);
	else if (strcmp(key, "enforced") == 0)
		request->enforced = strings_of(JsonbValueToJsonb(value), key, table_name);
	else
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, key,
					   "The members are actions and the arguments of deltatx_stage().",
					   "unknown member \"%s\" in batch", key);
}

static char *
string_of(JsonbValue *value, const char *key, const char *table_name)
{
	if (value->type != jbvString)
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, key, NULL,
					   "\"%s\" in batch is not a string", key);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int64
version_of(JsonbValue *value, const char *key, const char *table_name)
{
	if (value->type != jbvNumeric)
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, key, NULL,
					   "\"%s\" in batch is not a number", key);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

static List *
strings_of(Jsonb *array, const char *key, const char *table_name)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	List	   *result = NIL;

	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, key, NULL,
					   "\"%s\" in batch is not an array", key);
	iterator = JsonbIteratorInit(&array->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			result = lappend(result, string_of(&item, key, table_name));
	return result;
}
