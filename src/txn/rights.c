/*-------------------------------------------------------------------------
 *
 * rights.c
 *	  Who may use a table, and when.
 *
 * A table belongs to the role that created it, by name, since rows with OIDs
 * would not survive a dump.  Its members may use it; a superuser is a member
 * of everything.  When the role is dropped, only superusers are left.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "errors.h"
#include "txn/rights.h"

/* Parts of a name, and bytes of a part. */
#define MAX_NAME_PARTS	3
#define MAX_PART_BYTES	63

bool
deltatx_rights_has(const char *owner_name, Oid role)
{
	Oid			owner = get_role_oid(owner_name, true);

	if (!OidIsValid(owner))
		return superuser_arg(role);
	return has_privs_of_role(role, owner);
}

void
deltatx_rights_require(const char *owner_name, Oid role, const char *table_name)
{
	if (deltatx_rights_has(owner_name, role))
		return;

	ereport(ERROR,
			(deltatx_condition(DTX_PERMISSION_DENIED, table_name),
			 errmsg("permission denied for Delta table \"%s\"", table_name),
			 errdetail_internal("owner=%s", owner_name),
			 errhint("The table can be used by its owner and the members of that role.")));
}

void
deltatx_rights_refuse_missing(const char *table_name)
{
	ereport(ERROR,
			(deltatx_condition(DTX_TABLE_NOT_FOUND, table_name),
			 errmsg("Delta table \"%s\" does not exist", table_name),
			 errhint("Names are matched byte for byte and are not resolved by search_path; see view deltatx.tables.")));
}

void
deltatx_rights_refuse_version(const char *table_name, int64 version, int64 current)
{
	ereport(ERROR,
			(deltatx_condition(DTX_VERSION_NOT_FOUND, table_name),
			 errmsg("table \"%s\" has no version " INT64_FORMAT, table_name, version),
			 errdetail_internal("version=" INT64_FORMAT " actual=" INT64_FORMAT, version, current),
			 errhint("The newest version is " INT64_FORMAT ".", current)));
}

void
deltatx_rights_refuse_state(const char *table_name, const char *mirror_state)
{
	static const struct
	{
		const char *state;
		DtxCondition condition;
		const char *hint;
	}			refused[] = {
		{"held", DTX_TABLE_HELD, "Run deltatx_claim() if this server is to publish its log."},
		{"importing", DTX_TABLE_IMPORTING, "Wait until the import has ended."},
		{"following", DTX_TABLE_FOLLOWED, "Run deltatx_take_over() to write it here."},
		{"diverged", DTX_LOG_DIVERGED, "See view deltatx.mirror for what differs on the store."},
	};

	if (strcmp(mirror_state, "dropped") == 0)
		deltatx_rights_refuse_missing(table_name);
	for (int i = 0; i < lengthof(refused); i++)
		if (strcmp(mirror_state, refused[i].state) == 0)
			ereport(ERROR,
					(deltatx_condition(refused[i].condition, table_name),
					 errmsg("table \"%s\" takes no commits: it is %s", table_name, mirror_state),
					 errdetail_internal("state=%s", mirror_state),
					 errhint("%s", refused[i].hint)));
}

void
deltatx_rights_check_name(const char *table_name)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION, table_name};
	const char *part = table_name;

	for (int parts = 1;; parts++)
	{
		size_t		length = strcspn(part, ".");

		if (length == 0 || length > MAX_PART_BYTES || parts > MAX_NAME_PARTS)
			deltatx_refuse(&place, "table_name",
						   "A name is one to three parts joined by dots, such as shop.orders; a part has 1 to 63 bytes.",
						   "\"%s\" is not a name for a table", table_name);
		for (size_t i = 0; i < length; i++)
			if ((unsigned char) part[i] < ' ' || part[i] == 0x7F || strchr("\"'`", part[i]) != NULL)
				deltatx_refuse(&place, "table_name", "Use letters, digits, _ and the like.",
							   "a name can't hold quotes or control characters");
		if (part[length] == '\0')
			return;
		part += length + 1;
	}
}
