/*-------------------------------------------------------------------------
 *
 * args.c
 *	  Arguments of SQL functions, most of which may be NULL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "api/args.h"
#include "errors.h"
#include "txn/session.h"

char *
deltatx_arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

Jsonb *
deltatx_arg_jsonb(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
}

int64
deltatx_arg_int64(FunctionCallInfo fcinfo, int n, int64 if_null)
{
	return PG_ARGISNULL(n) ? if_null : PG_GETARG_INT64(n);
}

List *
deltatx_arg_strings(FunctionCallInfo fcinfo, int n, const char *name)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	List	   *result = NIL;

	if (PG_ARGISNULL(n))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s holds a NULL", name)));
		result = lappend(result, TextDatumGetCString(elements[i]));
	}
	return result;
}

int
deltatx_arg_milliseconds(FunctionCallInfo fcinfo, int n, const char *name, int if_null)
{
	Interval   *interval;
	int64		millis;

	if (PG_ARGISNULL(n))
		return if_null;
	interval = PG_GETARG_INTERVAL_P(n);
	millis = interval->time / 1000 + interval->day * INT64CONST(86400000);
	if (interval->month != 0 || millis < 0 || millis > INT_MAX)
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION}, name, NULL,
					   "%s must be between 0 and 24 days", name);
	return (int) millis;
}

int64
deltatx_arg_version(FunctionCallInfo fcinfo, int n, const char *name, const char *table_name)
{
	int64		version = deltatx_arg_int64(fcinfo, n, NO_VERSION);

	if (!PG_ARGISNULL(n) && version < 0)
		deltatx_refuse(&(DocumentPlace) {DTX_VERSION_NOT_FOUND, table_name}, name,
					   "Versions begin with 0; leave the argument out for none.",
					   "there is no version " INT64_FORMAT, version);
	return version;
}

char *
deltatx_jsonb_parameters(Jsonb *object, const char *table_name)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	StringInfoData out;

	if (object == NULL)
		return NULL;
	if (!JB_ROOT_IS_OBJECT(object))
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, "operation_parameters",
					   "Pass a JSON object.", "operation_parameters is not an object");

	initStringInfo(&out);
	iterator = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			appendStringInfoChar(&out, out.len == 0 ? '{' : ',');
			escape_json(&out, pnstrdup(item.val.string.val, item.val.string.len));
			appendStringInfoChar(&out, ':');
		}
		else if (token == WJB_VALUE && item.type == jbvString)
			escape_json(&out, pnstrdup(item.val.string.val, item.val.string.len));
		else if (token == WJB_VALUE)
		{
			Jsonb	   *value = JsonbValueToJsonb(&item);

			escape_json(&out, JsonbToCString(NULL, &value->root, VARSIZE(value)));
		}
	}
	appendStringInfoString(&out, out.len == 0 ? "{}" : "}");
	return out.data;
}

char *
deltatx_arg_required_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

void
deltatx_arg_refuse(const char *name, const char *table_name)
{
	ereport(ERROR,
			(deltatx_condition(DTX_UNSUPPORTED_FEATURE, table_name),
			 errmsg("this version of deltatx takes only the default of argument \"%s\"", name),
			 errhint("Leave the argument out.")));
}
