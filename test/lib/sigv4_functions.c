/*-------------------------------------------------------------------------
 *
 * sigv4_functions.c
 *	  SQL functions around sigv4.c, for its test.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "store/sigv4.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(test_sigv4_authorization);
PG_FUNCTION_INFO_V1(test_uri_encode);

static List *pairs(ArrayType *array);
static char *text_argument(FunctionCallInfo fcinfo, int number);

/* (method, path, query text[], headers text[], payload hash, time, region, service, key, secret) */
PGDLLEXPORT Datum
test_sigv4_authorization(PG_FUNCTION_ARGS)
{
	SigV4Request request = {
		.method = text_argument(fcinfo, 0),
		.path = text_argument(fcinfo, 1),
		.query = pairs(PG_GETARG_ARRAYTYPE_P(2)),
		.headers = pairs(PG_GETARG_ARRAYTYPE_P(3)),
		.payload_hash = text_argument(fcinfo, 4),
		.time = text_argument(fcinfo, 5),
		.region = text_argument(fcinfo, 6),
		.service = text_argument(fcinfo, 7)
	};

	PG_RETURN_TEXT_P(cstring_to_text(deltatx_sigv4_authorization(&request, text_argument(fcinfo, 8),
																 text_argument(fcinfo, 9))));
}

/* (text, keep slashes) */
PGDLLEXPORT Datum
test_uri_encode(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(deltatx_uri_encode(text_argument(fcinfo, 0), PG_GETARG_BOOL(1))));
}

/* Names and values in turn. */
static List *
pairs(ArrayType *array)
{
	List	   *result = NIL;
	Datum	   *elements;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	for (int i = 0; i + 1 < n; i += 2)
	{
		SigV4Pair  *pair = palloc(sizeof(SigV4Pair));

		pair->name = TextDatumGetCString(elements[i]);
		pair->value = TextDatumGetCString(elements[i + 1]);
		result = lappend(result, pair);
	}
	return result;
}

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}
