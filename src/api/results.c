/*-------------------------------------------------------------------------
 *
 * results.c
 *	  Row sets that SQL functions return.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "api/results.h"
#include "txn/stamp.h"

void
deltatx_return_versions(FunctionCallInfo fcinfo, const VersionRow *rows, int n, bool replayed)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		Datum		values[6] = {
			CStringGetTextDatum(rows[i].table_name),
			Int64GetDatum(rows[i].version),
			Int64GetDatum(rows[i].files_added),
			Int64GetDatum(rows[i].files_removed),
			TimestampTzGetDatum(deltatx_stamp_to_timestamptz(rows[i].stamp)),
			BoolGetDatum(replayed)
		};
		bool		nulls[6] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}
