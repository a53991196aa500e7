/*-------------------------------------------------------------------------
 *
 * sweep.c
 *	  Clear away dropped tables once their last version is published.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/mirror_drop.h"
#include "mirror/horizon.h"
#include "mirror/worker.h"

bool
deltatx_sweep_round(void)
{
	CatalogScope scope;
	int64		table_id;
	char	   *table_name;
	bool		found;
	bool		cleared = false;

	deltatx_worker_begin(&scope);
	found = deltatx_dropped_find(&table_id, &table_name);
	if (found)
	{
		deltatx_worker_doing("clearing away dropped table \"%s\"", table_name);
		cleared = deltatx_dropped_delete(table_id);
	}
	deltatx_worker_commit(&scope);

	if (cleared)
	{
		deltatx_manifest_changed();
		ereport(LOG, (errmsg("dropped table \"%s\" is published and cleared away", table_name)));
	}
	return found;
}
