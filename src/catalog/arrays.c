/*-------------------------------------------------------------------------
 *
 * arrays.c
 *	  SQL arrays for catalog statements, from C and back.
 *
 * A statement that takes arrays and unnests them writes any number of rows
 * for the price of one execution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/arrays.h"

Datum
deltatx_int8_array(const int64 *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
deltatx_bool_array(const bool *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = BoolGetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, BOOLOID, 1, true, TYPALIGN_CHAR));
}

Datum
deltatx_text_array(char *const *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = values[i] == NULL;
		datums[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(values[i]);
	}
	return PointerGetDatum(construct_md_array(datums, nulls, 1, &n, &lower, TEXTOID,
											  -1, false, TYPALIGN_INT));
}

Datum
deltatx_text_array_of_list(const List *strings)
{
	int			n = list_length(strings);
	char	  **values = palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
		values[i] = list_nth(strings, i);
	return deltatx_text_array(values, n);
}

List *
deltatx_text_array_to_list(Datum array)
{
	Datum	   *elements;
	int			n;
	List	   *result = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, &n);
	for (int i = 0; i < n; i++)
		result = lappend(result, TextDatumGetCString(elements[i]));
	return result;
}
