/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  SQL functions: create, alter, rename and drop tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/args.h"
#include "txn/define.h"

PG_FUNCTION_INFO_V1(deltatx_create_table);
PG_FUNCTION_INFO_V1(deltatx_alter_table);
PG_FUNCTION_INFO_V1(deltatx_rename_table);
PG_FUNCTION_INFO_V1(deltatx_drop_table);

PGDLLEXPORT Datum
deltatx_create_table(PG_FUNCTION_ARGS)
{
	TableDefinition definition = {0};

	deltatx_require_writable("deltatx_create_table");
	definition.table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	definition.location = deltatx_arg_required_text(fcinfo, 1, "location");
	definition.columns = deltatx_arg_required_text(fcinfo, 2, "columns");
	definition.partition_columns = deltatx_arg_strings(fcinfo, 3, "partition_columns");
	definition.properties = deltatx_arg_jsonb(fcinfo, 4);
	definition.description = deltatx_arg_text(fcinfo, 5);
	PG_RETURN_UUID_P(deltatx_define_create(&definition));
}

PGDLLEXPORT Datum
deltatx_alter_table(PG_FUNCTION_ARGS)
{
	TableChange change = {0};
	int64		version;

	deltatx_require_writable("deltatx_alter_table");
	change.table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	change.add_columns = deltatx_arg_text(fcinfo, 1);
	change.set_properties = deltatx_arg_jsonb(fcinfo, 2);
	change.unset_properties = deltatx_arg_strings(fcinfo, 3, "unset_properties");
	change.description = deltatx_arg_text(fcinfo, 4);

	version = deltatx_define_alter(&change);
	if (version == NO_VERSION)
		PG_RETURN_NULL();
	PG_RETURN_INT64(version);
}

PGDLLEXPORT Datum
deltatx_rename_table(PG_FUNCTION_ARGS)
{
	deltatx_require_writable("deltatx_rename_table");
	deltatx_define_rename(deltatx_arg_required_text(fcinfo, 0, "table_name"),
						  deltatx_arg_required_text(fcinfo, 1, "new_name"));
	PG_RETURN_VOID();
}

PGDLLEXPORT Datum
deltatx_drop_table(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");

	deltatx_require_writable("deltatx_drop_table");
	if (!PG_ARGISNULL(1) && PG_GETARG_BOOL(1))
		deltatx_arg_refuse("purge", table_name);
	deltatx_define_drop(table_name);
	PG_RETURN_VOID();
}
