/*-------------------------------------------------------------------------
 *
 * isolation.c
 *	  Isolation levels of deltatx transactions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "txn/isolation.h"

static bool same_level(const char *given, const char *name);

static const char *const names[] = {
	[ISOLATION_SERIALIZABLE] = "Serializable",
	[ISOLATION_WRITE_SERIALIZABLE] = "WriteSerializable",
	[ISOLATION_SNAPSHOT] = "SnapshotIsolation",
};

const char *
deltatx_isolation_name(IsolationLevel level)
{
	return names[level];
}

IsolationLevel
deltatx_isolation_parse(const char *name)
{
	for (int level = 0; level < lengthof(names); level++)
		if (same_level(name, names[level]))
			return level;

	deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION}, "isolation",
				   "Use serializable, write_serializable or snapshot_isolation.",
				   "unknown isolation level \"%s\"", name);
}

IsolationLevel
deltatx_isolation_of(const OpenTransaction *transaction, const TableShape *shape)
{
	const char *property = deltatx_property(shape->metadata.configuration, "delta.isolationLevel");

	if (transaction->options.isolation >= 0)
		return transaction->options.isolation;
	return property != NULL ? deltatx_isolation_parse(property) : deltatx_default_isolation;
}

/* Underscores and case don't matter: write_serializable is WriteSerializable. */
static bool
same_level(const char *given, const char *name)
{
	for (; *given != '\0'; given++)
		if (*given != '_' && pg_tolower((unsigned char) *given) != pg_tolower((unsigned char) *name++))
			return false;
	return *name == '\0';
}
