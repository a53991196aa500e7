/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  Check an action against the table that it is meant for.
 *
 * The parser has checked the form.  Here is what takes the table to tell, and
 * what a log may hold but a caller may not give us, because readers fail on it
 * or because we would have to do something for it that we don't.
 *
 * A hundred thousand actions may come in one call, so nothing stays allocated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "action/json_reader.h"
#include "action/partition.h"
#include "action/path.h"
#include "action/stats.h"

/* Where change data lies; not for data files. */
#define CHANGE_DATA_DIRECTORY	"_change_data"

/* The end of 9999, in milliseconds: readers fail beyond it, and so would ours. */
#define MAX_TIMESTAMP	INT64CONST(253402300799999)

/* Domains that are Delta's own. */
#define SYSTEM_DOMAIN_PREFIX	"delta."

static void validate(const Action *action, const TableShape *shape,
					 HivePathsCheck *hive_paths, const DocumentPlace *place);
static void validate_add(const FileAction *add, const TableShape *shape,
						 HivePathsCheck *hive_paths, const DocumentPlace *place);
static void validate_remove(const FileAction *remove, const TableShape *shape,
							const DocumentPlace *place);
static void validate_path(const char *path, const DocumentPlace *place);
static void validate_hive_path(const FileAction *add, const TableShape *shape,
							   HivePathsCheck *hive_paths, const DocumentPlace *place);
static void validate_extra(const char *extra, const DocumentPlace *place);
static void validate_domain(const DomainAction *domain, const DocumentPlace *place);
static void refuse_feature(const DocumentPlace *place, const char *field,
						   const char *hint, const char *message) pg_attribute_noreturn();

void
deltatx_action_validate(const Action *action, const TableShape *shape,
						HivePathsCheck *hive_paths, const DocumentPlace *place)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "deltatx validation", ALLOCSET_SMALL_SIZES);
	MemoryContext caller_context = MemoryContextSwitchTo(context);

	validate(action, shape, hive_paths, place);
	MemoryContextSwitchTo(caller_context);
	MemoryContextDelete(context);
}

static void
validate(const Action *action, const TableShape *shape,
		 HivePathsCheck *hive_paths, const DocumentPlace *place)
{
	switch (action->kind)
	{
		case ACTION_ADD:
			validate_add(&action->u.file, shape, hive_paths, place);
			break;
		case ACTION_REMOVE:
			validate_remove(&action->u.file, shape, place);
			break;
		case ACTION_CDC:
			refuse_feature(place, NULL, NULL, "change data files are not supported");
			break;
		case ACTION_DOMAIN:
			validate_domain(&action->u.domain, place);
			break;
		case ACTION_METADATA:
		case ACTION_PROTOCOL:
		case ACTION_TXN:
		case ACTION_COMMIT_INFO:
			break;
	}
}

static void
validate_add(const FileAction *add, const TableShape *shape,
			 HivePathsCheck *hive_paths, const DocumentPlace *place)
{
	validate_path(add->path, place);
	if (deltatx_path_is_within(add->path, CHANGE_DATA_DIRECTORY))
		deltatx_refuse(place, "path", NULL,
					   "path leads into " CHANGE_DATA_DIRECTORY ", which holds change data only");

	if (add->timestamp > MAX_TIMESTAMP)
		deltatx_refuse(place, "modificationTime", "Give milliseconds since 1970.",
					   "modificationTime is beyond the year 9999");
	deltatx_partition_values_check(add->partition_values, shape, place);
	validate_hive_path(add, shape, hive_paths, place);
	validate_extra(add->extra, place);
	if (add->stats != NULL)
		deltatx_stats_check_not_null(add->stats, shape->schema, place);
	if (add->deletion_vector != NULL && !shape->deletion_vectors)
		refuse_feature(place, "deletionVector",
					   "Set the table property delta.enableDeletionVectors to true first.",
					   "the table takes no new deletion vectors");
}

static void
validate_remove(const FileAction *remove, const TableShape *shape, const DocumentPlace *place)
{
	validate_path(remove->path, place);
	if (remove->partition_values != NULL)
		deltatx_partition_values_check(remove->partition_values, shape, place);
	validate_extra(remove->extra, place);
	if (shape->append_only && remove->data_change)
		deltatx_refuse(place, "dataChange",
					   "Set delta.appendOnly to false first, or give dataChange false if rows are only rearranged.",
					   "the table is append-only: no rows may be removed");
}

static void
validate_path(const char *path, const DocumentPlace *place)
{
	const char *problem = deltatx_path_problem(path);

	if (problem != NULL)
		deltatx_refuse(place, "path",
					   "Give the path relative to the table's location, percent-encoded as in a URI.",
					   "path %s", problem);
}

static void
validate_hive_path(const FileAction *add, const TableShape *shape,
				   HivePathsCheck *hive_paths, const DocumentPlace *place)
{
	static const char *const message = "path does not tell the partition values in its directories";
	static const char *const hint =
	"Put files into col=value/ directories as deltatx_new_path does, or some readers see wrong values.";

	if (*hive_paths == HIVE_PATHS_OFF || shape->n_partition_columns == 0 ||
		deltatx_path_is_hive(shape, add->path, add->partition_values))
		return;
	if (*hive_paths == HIVE_PATHS_ERROR)
		deltatx_refuse(place, "path", hint, "%s", message);

	*hive_paths = HIVE_PATHS_OFF;
	ereport(WARNING,
			(deltatx_condition(DTX_INVALID_ACTION, place->table_name),
			 errcode(ERRCODE_WARNING),
			 errmsg("%s", message),
			 errdetail_internal("action=" INT64_FORMAT " kind=add field=path", place->position),
			 errhint("%s", hint)));
}

/* Row tracking would give these members their values; callers can't. */
static void
validate_extra(const char *extra, const DocumentPlace *place)
{
	JsonReader	reader;
	JsonObject	object;
	char	   *text;

	if (extra == NULL)
		return;

	text = psprintf("{%s}", extra);
	deltatx_json_open(&reader, text, strlen(text), place, NULL);
	deltatx_json_enter_object(&reader, &object, place->action);
	while (deltatx_json_next_member(&reader, &object))
	{
		if (strcmp(reader.key.data, "baseRowId") == 0 ||
			strcmp(reader.key.data, "defaultRowCommitVersion") == 0)
			refuse_feature(place, pstrdup(reader.key.data), "Leave the field out.",
						   "row tracking is not supported");
		deltatx_json_skip(&reader);
	}
	deltatx_json_close(&reader);
}

static void
validate_domain(const DomainAction *domain, const DocumentPlace *place)
{
	if (strncmp(domain->domain, SYSTEM_DOMAIN_PREFIX, strlen(SYSTEM_DOMAIN_PREFIX)) == 0)
		refuse_feature(place, "domain",
					   "Use a domain of your own; those that begin with delta. are the protocol's.",
					   "system domains can't be written by users");
}

static void
refuse_feature(const DocumentPlace *place, const char *field, const char *hint, const char *message)
{
	DocumentPlace unsupported = *place;

	unsupported.condition = DTX_UNSUPPORTED_FEATURE;
	deltatx_refuse(&unsupported, field, hint, "%s", message);
}
