/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  What commitInfo and deltatx_history say about a version.
 *
 * The names are Spark's, for people and tools that read DESCRIBE HISTORY:
 * operation WRITE with mode Append or Overwrite, DELETE, and so on.  All
 * values of parameters and metrics are strings, or Spark can't read them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "txn/describe.h"

static const char *operation_of(const OpenTransaction *transaction, const StagedTable *table,
								const NewVersion *version);
static const char *parameters_of(const StagedTable *table, const char *operation);
static const char *metrics_of(const NewVersion *version);

void
deltatx_describe_version(const OpenTransaction *transaction, const StagedTable *table,
						 NewVersion *version)
{
	const CommitInfoAction *info = &table->sum.info;

	version->operation = operation_of(transaction, table, version);
	version->operation_parameters = info->operation_parameters != NULL ?
		info->operation_parameters : parameters_of(table, version->operation);
	version->operation_metrics = info->operation_metrics != NULL ?
		info->operation_metrics : metrics_of(version);
	version->user_metadata = info->user_metadata != NULL ?
		info->user_metadata : transaction->options.user_metadata;
	version->tags = info->tags;
}

static const char *
operation_of(const OpenTransaction *transaction, const StagedTable *table,
			 const NewVersion *version)
{
	if (table->sum.info.operation != NULL)
		return table->sum.info.operation;
	if (transaction->options.operation != NULL)
		return transaction->options.operation;
	if (table->sum.mode == STAGE_OVERWRITE || table->sum.mode == STAGE_OVERWRITE_PARTITIONS)
		return "WRITE";
	if (version->files_added > 0)
		return version->files_removed > 0 ? "UPDATE" : "WRITE";
	if (version->files_removed > 0)
		return "DELETE";
	if (table->sum.metadata != NULL || table->sum.protocol != NULL)
		return "CHANGE METADATA";
	return "WRITE";
}

static const char *
parameters_of(const StagedTable *table, const char *operation)
{
	StringInfoData out;
	bool		overwrites = table->sum.mode == STAGE_OVERWRITE ||
		table->sum.mode == STAGE_OVERWRITE_PARTITIONS;

	if (strcmp(operation, "WRITE") != 0)
		return "{}";

	initStringInfo(&out);
	appendStringInfo(&out, "{\"mode\":\"%s\"", overwrites ? "Overwrite" : "Append");
	if (table->sum.partition_filter != NULL)
	{
		appendStringInfoString(&out, ",\"predicate\":");
		escape_json(&out, table->sum.partition_filter);
	}
	if (table->sum.mode == STAGE_OVERWRITE_PARTITIONS)
		appendStringInfoString(&out, ",\"isDynamicPartitionOverwrite\":\"true\"");
	appendStringInfoChar(&out, '}');
	return out.data;
}

static const char *
metrics_of(const NewVersion *version)
{
	return psprintf("{\"numFiles\":\"" INT64_FORMAT "\",\"numOutputBytes\":\"" INT64_FORMAT
					"\",\"numRemovedFiles\":\"" INT64_FORMAT "\",\"numRemovedBytes\":\"" INT64_FORMAT "\"}",
					version->files_added, version->bytes_added,
					version->files_removed, version->bytes_removed);
}
