/*-------------------------------------------------------------------------
 *
 * stage.c
 *	  SQL functions: stage, read, and what helps to stage.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "api/args.h"
#include "catalog/controls.h"
#include "catalog/scope.h"
#include "txn/rights.h"
#include "txn/staging.h"

PG_FUNCTION_INFO_V1(deltatx_stage_jsonb);
PG_FUNCTION_INFO_V1(deltatx_stage_text);
PG_FUNCTION_INFO_V1(deltatx_read);
PG_FUNCTION_INFO_V1(deltatx_app_version);
PG_FUNCTION_INFO_V1(deltatx_new_path);

static StageRequest stage_arguments(FunctionCallInfo fcinfo);

PGDLLEXPORT Datum
deltatx_stage_jsonb(PG_FUNCTION_ARGS)
{
	StageRequest request;

	deltatx_require_writable("deltatx_stage");
	request = stage_arguments(fcinfo);
	request.jsonb = PG_GETARG_JSONB_P(1);
	PG_RETURN_INT64(deltatx_staging_stage(&request));
}

/* For json, too: it is text that has been checked. */
PGDLLEXPORT Datum
deltatx_stage_text(PG_FUNCTION_ARGS)
{
	StageRequest request;
	text	   *document;

	deltatx_require_writable("deltatx_stage");
	request = stage_arguments(fcinfo);
	document = PG_GETARG_TEXT_PP(1);
	request.text = VARDATA_ANY(document);
	request.text_length = VARSIZE_ANY_EXHDR(document);
	PG_RETURN_INT64(deltatx_staging_stage(&request));
}

/*
 * A read is of the whole table: what narrows it is taken when the conflict
 * rules can honour it.
 */
PGDLLEXPORT Datum
deltatx_read(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	static const char *const narrower[] = {"partition_filter", "files", "app_ids"};
	DeclaredRead read;
	TableRef   *table;
	CatalogScope scope;
	OpenTransaction *transaction;

	deltatx_require_writable("deltatx_read");
	transaction = deltatx_session_require("deltatx_read");
	for (int i = 0; i < lengthof(narrower); i++)
		if (!PG_ARGISNULL(2 + i))
			deltatx_arg_refuse(narrower[i], table_name);

	deltatx_scope_enter(&scope);
	table = deltatx_staging_table(table_name, scope.user);
	read.table_id = table->table_id;
	read.table_name = table_name;
	read.version = deltatx_arg_int64(fcinfo, 1, table->current_version);
	if (read.version < 0 || read.version > table->current_version)
		deltatx_rights_refuse_version(table_name, read.version, table->current_version);
	deltatx_scope_leave(&scope);

	if (!transaction->replayed)
		deltatx_session_log_read(&read);
	PG_RETURN_INT64(read.version);
}

PGDLLEXPORT Datum
deltatx_app_version(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	char	   *app_id = deltatx_arg_required_text(fcinfo, 1, "app_id");
	CatalogScope scope;
	TableRef   *table;
	int64		in_version;
	int64		result;

	deltatx_scope_enter_reading(&scope);
	table = deltatx_usable_table(table_name, scope.user);
	result = deltatx_txn_newest(table->table_id, app_id, &in_version);
	deltatx_scope_leave(&scope);

	if (result < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(result);
}

PGDLLEXPORT Datum
deltatx_new_path(PG_FUNCTION_ARGS)
{
	char	   *table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	Jsonb	   *given = deltatx_arg_jsonb(fcinfo, 1);
	char	   *suffix = deltatx_arg_text(fcinfo, 2);
	char	   *values = given == NULL ? "{}" : JsonbToCString(NULL, &given->root, VARSIZE(given));
	MemoryContext result_context = CurrentMemoryContext;
	DocumentPlace place = {DTX_INVALID_ACTION, table_name};
	CatalogScope scope;
	TableRef   *table;
	const TableShape *shape;
	char	   *path;

	deltatx_scope_enter(&scope);
	table = deltatx_usable_table(table_name, scope.user);
	shape = deltatx_table_shape(table);
	deltatx_partition_values_check(values, shape, &place);
	path = deltatx_path_new(shape, values, suffix == NULL ? "" : suffix);
	path = MemoryContextStrdup(result_context, path);
	deltatx_scope_leave(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(path));
}

static StageRequest
stage_arguments(FunctionCallInfo fcinfo)
{
	StageRequest request = {0};
	char	   *mode = deltatx_arg_text(fcinfo, 2);

	request.table_name = deltatx_arg_required_text(fcinfo, 0, "table_name");
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("actions must not be NULL")));
	request.mode = mode == NULL ? STAGE_ACTIONS : deltatx_stage_mode(mode, request.table_name);
	request.read_version = deltatx_arg_version(fcinfo, 3, "read_version", request.table_name);
	request.expected_version = deltatx_arg_version(fcinfo, 4, "expected_version", request.table_name);
	request.extend = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	request.partition_filter = deltatx_arg_jsonb(fcinfo, 6);
	request.operation = deltatx_arg_text(fcinfo, 7);
	request.operation_parameters = deltatx_jsonb_parameters(deltatx_arg_jsonb(fcinfo, 8),
															request.table_name);
	request.enforced = deltatx_arg_strings(fcinfo, 9, "enforced");
	return request;
}
