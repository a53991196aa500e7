/*-------------------------------------------------------------------------
 *
 * conflict.c
 *	  Whether a transaction may commit on top of the versions that won.
 *
 * A transaction staged its actions when the table was at one version and
 * commits when the table is at a later one.  The versions in between have won:
 * whether they leave the transaction's assumptions intact is decided here,
 * from what it declared and what the locked head says.
 *
 *	- expected_version is a strict compare-and-swap;
 *	- a metaData or protocol action of a winner may invalidate anything that
 *	  was staged under the old one, so nobody passes it;
 *	- what was read must not have changed.  A declared read covers the whole
 *	  table, so any winner after it is one too many;
 *	- all else rebases: appends go on top, and an overwrite, which applies to
 *	  the table as it is at commit, comes after everything before it.
 *
 * All of these are 40001: the same transaction, begun anew, may succeed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "conflict/conflict.h"
#include "errors.h"

static void refuse_stale(const ConflictInput *input, int64 expected, const char *what,
						 const char *hint) pg_attribute_noreturn();
static void refuse_changed(const ConflictInput *input, DtxCondition condition, const char *what,
						   int64 winner) pg_attribute_noreturn();

void
deltatx_conflict_check(const ConflictInput *input)
{
	int64		since = input->writes ? input->seen_version : input->read_version;

	if (input->expected_version >= 0 && input->expected_version != input->current_version)
		refuse_stale(input, input->expected_version, "expected",
					 "Read the table again and decide anew.");
	if (input->protocol_version > since)
		refuse_changed(input, DTX_PROTOCOL_CHANGED, "protocol", input->protocol_version);
	if (input->metadata_version > since)
		refuse_changed(input, DTX_METADATA_CHANGED, "metadata", input->metadata_version);
	if (input->read_version >= 0 && input->read_version < input->current_version)
		refuse_stale(input, input->read_version, "read",
					 "Begin again and read the newest version; never send the old read_version again.");
}

void
deltatx_conflict_refuse_deleted(const char *table_name, const char *path, int64 winner)
{
	ereport(ERROR,
			(deltatx_condition(DTX_CONCURRENT_DELETE_DELETE, table_name),
			 errmsg("file \"%s\" of table \"%s\" was removed by version " INT64_FORMAT,
					path, table_name, winner),
			 errdetail_internal("winner=" INT64_FORMAT, winner),
			 errhint("Begin again; the file is gone.")));
}

void
deltatx_conflict_refuse_application(const char *table_name, const char *app_id, int64 winner)
{
	ereport(ERROR,
			(deltatx_condition(DTX_CONCURRENT_TRANSACTION, table_name),
			 errmsg("application \"%s\" committed version " INT64_FORMAT " of table \"%s\" meanwhile",
					app_id, winner, table_name),
			 errdetail_internal("winner=" INT64_FORMAT, winner),
			 errhint("Begin again; deltatx_app_version() tells how far the application is.")));
}

void
deltatx_conflict_refuse_domain(const char *table_name, const char *domain, int64 winner)
{
	ereport(ERROR,
			(deltatx_condition(DTX_CONCURRENT_TRANSACTION, table_name),
			 errmsg("domain \"%s\" of table \"%s\" was changed by version " INT64_FORMAT,
					domain, table_name, winner),
			 errdetail_internal("winner=" INT64_FORMAT, winner),
			 errhint("Begin again and read the domain's new configuration.")));
}

void
deltatx_conflict_refuse_added(const char *table_name, const char *path)
{
	ereport(ERROR,
			(deltatx_condition(DTX_DUPLICATE_FILE, table_name),
			 errmsg("file \"%s\" was added to table \"%s\" by another transaction meanwhile",
					path, table_name),
			 errhint("Give a new file a new path, for instance by deltatx_new_path().")));
}

static void
refuse_stale(const ConflictInput *input, int64 expected, const char *what, const char *hint)
{
	ereport(ERROR,
			(deltatx_condition(DTX_VERSION_MISMATCH, input->table_name),
			 errmsg("table \"%s\" is at version " INT64_FORMAT ", %s was " INT64_FORMAT,
					input->table_name, input->current_version, what, expected),
			 errdetail_internal("expected=" INT64_FORMAT " actual=" INT64_FORMAT " winner=" INT64_FORMAT,
								expected, input->current_version,
								Min(expected + 1, input->current_version)),
			 errhint("%s", hint)));
}

static void
refuse_changed(const ConflictInput *input, DtxCondition condition, const char *what, int64 winner)
{
	ereport(ERROR,
			(deltatx_condition(condition, input->table_name),
			 errmsg("the %s of table \"%s\" was changed by version " INT64_FORMAT,
					what, input->table_name, winner),
			 errdetail_internal("expected=" INT64_FORMAT " actual=" INT64_FORMAT " winner=" INT64_FORMAT,
								input->writes ? input->seen_version : input->read_version,
								input->current_version, winner),
			 errhint("Begin again and stage under the new %s.", what)));
}
