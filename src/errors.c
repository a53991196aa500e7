/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  The conditions that a user of deltatx can meet, and their SQLSTATEs.
 *
 * A condition name tells our errors apart; the SQLSTATE tells a program that
 * never heard of us what to do: 40001, 40P01 and 55P03 are worth a retry,
 * the rest is not.  UnsupportedFeature is 22023 and not 0A000, because some
 * connection pools drop a connection that answered 0A000.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "errors.h"

typedef struct ConditionInfo
{
	const char *name;
	int			sqlstate;
} ConditionInfo;

static const ConditionInfo conditions[DTX_CONDITION_COUNT] = {
	[DTX_TABLE_NOT_FOUND] = {"TableNotFound", ERRCODE_UNDEFINED_TABLE},
	[DTX_TABLE_EXISTS] = {"TableExists", ERRCODE_DUPLICATE_TABLE},
	[DTX_LOCATION_IN_USE] = {"LocationInUse", ERRCODE_DUPLICATE_TABLE},
	[DTX_NO_TRANSACTION] = {"NoTransaction", ERRCODE_NO_ACTIVE_SQL_TRANSACTION},
	[DTX_TRANSACTION_OPEN] = {"TransactionOpen", ERRCODE_ACTIVE_SQL_TRANSACTION},
	[DTX_NOT_FINISHED] = {"NotFinished", ERRCODE_ACTIVE_SQL_TRANSACTION},
	[DTX_ALREADY_STAGED] = {"AlreadyStaged", ERRCODE_DUPLICATE_OBJECT},
	[DTX_ALREADY_COMMITTED] = {"AlreadyCommitted", ERRCODE_DUPLICATE_OBJECT},
	[DTX_EMPTY_ACTION_LIST] = {"EmptyActionList", ERRCODE_INVALID_PARAMETER_VALUE},
	[DTX_INVALID_ACTION] = {"InvalidAction", ERRCODE_INVALID_PARAMETER_VALUE},
	[DTX_VERSION_NOT_FOUND] = {"VersionNotFound", ERRCODE_INVALID_PARAMETER_VALUE},
	[DTX_KEY_REUSED] = {"KeyReused", ERRCODE_INVALID_PARAMETER_VALUE},
	[DTX_UNSUPPORTED_FEATURE] = {"UnsupportedFeature", ERRCODE_INVALID_PARAMETER_VALUE},
	[DTX_MALFORMED_JSON] = {"MalformedJson", ERRCODE_INVALID_TEXT_REPRESENTATION},
	[DTX_PERMISSION_DENIED] = {"PermissionDenied", ERRCODE_INSUFFICIENT_PRIVILEGE},
	[DTX_TABLE_HELD] = {"TableHeld", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[DTX_TABLE_IMPORTING] = {"TableImporting", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[DTX_TABLE_FOLLOWED] = {"TableFollowed", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[DTX_LOG_DIVERGED] = {"LogDiverged", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[DTX_NOT_PRELOADED] = {"NotPreloaded", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	[DTX_INVALID_DEFINITION] = {"InvalidDefinition", ERRCODE_INVALID_TABLE_DEFINITION},
	[DTX_READ_ONLY_SERVER] = {"ReadOnlyServer", ERRCODE_READ_ONLY_SQL_TRANSACTION},
	[DTX_VERSION_MISMATCH] = {"VersionMismatch", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[DTX_CONCURRENT_DELETE_DELETE] = {"ConcurrentDeleteDelete", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[DTX_METADATA_CHANGED] = {"MetadataChanged", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[DTX_PROTOCOL_CHANGED] = {"ProtocolChanged", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[DTX_CONCURRENT_TRANSACTION] = {"ConcurrentTransaction", ERRCODE_T_R_SERIALIZATION_FAILURE},
	[DTX_LOCK_TIMEOUT] = {"LockTimeout", ERRCODE_LOCK_NOT_AVAILABLE},
	[DTX_TRANSACTION_TOO_OLD] = {"TransactionTooOld", MAKE_SQLSTATE('2', '5', 'P', '0', '4')},
	[DTX_TOO_MANY_TABLES] = {"TooManyTables", ERRCODE_PROGRAM_LIMIT_EXCEEDED},
	[DTX_TRANSACTION_TOO_LARGE] = {"TransactionTooLarge", ERRCODE_PROGRAM_LIMIT_EXCEEDED},
	[DTX_TABLE_TRANSACTION_TOO_LARGE] = {"TableTransactionTooLarge", ERRCODE_PROGRAM_LIMIT_EXCEEDED},
	[DTX_DUPLICATE_FILE] = {"DuplicateFile", ERRCODE_UNIQUE_VIOLATION},
	[DTX_FILE_NOT_FOUND] = {"FileNotFound", ERRCODE_FOREIGN_KEY_VIOLATION},
	[DTX_MIRROR_FAILURE] = {"MirrorFailure", ERRCODE_IO_ERROR},
	[DTX_BACKLOG_FULL] = {"BacklogFull", ERRCODE_CONFIGURATION_LIMIT_EXCEEDED},
	[DTX_DEADLOCK] = {"Deadlock", ERRCODE_T_R_DEADLOCK_DETECTED},
	[DTX_SERIALIZATION_FAILURE] = {"SerializationFailure", ERRCODE_T_R_SERIALIZATION_FAILURE},
};

static char *prefixed(const DocumentPlace *place, const char *message);
static char *detail_of(const DocumentPlace *place, const char *field);

int
deltatx_condition(DtxCondition condition, const char *table_name)
{
	const ConditionInfo *info = &conditions[condition];

	errcode(info->sqlstate);
	err_generic_string(PG_DIAG_CONSTRAINT_NAME, info->name);
	if (table_name != NULL)
		err_generic_string(PG_DIAG_TABLE_NAME, table_name);
	return 0;
}

const char *
deltatx_condition_name(DtxCondition condition)
{
	return conditions[condition].name;
}

void
deltatx_refuse(const DocumentPlace *place, const char *field,
			   const char *hint, const char *format,...)
{
	StringInfoData message;
	char	   *detail = detail_of(place, field);

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	ereport(ERROR,
			(deltatx_condition(place->condition, place->table_name),
			 errmsg_internal("%s", prefixed(place, message.data)),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
	pg_unreachable();
}

/* "action 3 (add) of table "shop.orders": message", as far as it is known. */
static char *
prefixed(const DocumentPlace *place, const char *message)
{
	StringInfoData result;

	initStringInfo(&result);
	if (place->position > 0)
		appendStringInfo(&result, "action " INT64_FORMAT, place->position);
	if (place->position > 0 && place->action != NULL)
		appendStringInfo(&result, " (%s)", place->action);
	if (place->table_name != NULL)
		appendStringInfo(&result, "%stable \"%s\"",
						 result.len > 0 ? " of " : "", place->table_name);
	appendStringInfo(&result, "%s%s", result.len > 0 ? ": " : "", message);
	return result.data;
}

/* Parseable, for programs; NULL when there is nothing to say. */
static char *
detail_of(const DocumentPlace *place, const char *field)
{
	StringInfoData result;

	initStringInfo(&result);
	if (place->position > 0)
		appendStringInfo(&result, "action=" INT64_FORMAT, place->position);
	if (place->action != NULL)
		appendStringInfo(&result, "%skind=%s", result.len > 0 ? " " : "", place->action);
	if (field != NULL)
		appendStringInfo(&result, "%sfield=%s", result.len > 0 ? " " : "", field);
	return result.len > 0 ? result.data : NULL;
}
