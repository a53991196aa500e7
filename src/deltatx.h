/*-------------------------------------------------------------------------
 *
 * deltatx.h
 *	  Settings, and what every part may ask of the module.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_H
#define DELTATX_H

#include "action/action.h"

/* What commitInfo.engineInfo says. */
#define DELTATX_ENGINE_INFO	"deltatx/" DELTATX_VERSION

typedef enum IsolationLevel
{
	ISOLATION_SERIALIZABLE,
	ISOLATION_WRITE_SERIALIZABLE,
	ISOLATION_SNAPSHOT
} IsolationLevel;

/* What a commit does about a table with too many unpublished versions. */
typedef enum BacklogAction
{
	BACKLOG_WARNING,
	BACKLOG_WAIT,
	BACKLOG_ERROR
} BacklogAction;

/* Settings; docs/reference.md describes them.  Times in milliseconds unless the name says else. */
extern int	deltatx_max_tables_per_transaction;
extern int	deltatx_max_files_per_table;
extern int	deltatx_max_actions_per_transaction;
extern int	deltatx_transaction_timeout;
extern int	deltatx_limit_ceiling_tables;
extern int	deltatx_limit_ceiling_files;
extern int	deltatx_limit_ceiling_actions;
extern int	deltatx_limit_ceiling_timeout;
extern int	deltatx_lock_timeout;
extern int	deltatx_default_isolation;
extern int	deltatx_hive_paths;
extern int	deltatx_max_clock_lead;
extern bool deltatx_mirror_enabled;
extern int	deltatx_mirror_naptime;
extern int	deltatx_mirror_max_attempts;
extern int	deltatx_mirror_backoff_min;
extern int	deltatx_mirror_backoff_max;
extern bool deltatx_notify;
extern int	deltatx_max_mirror_backlog;
extern int	deltatx_mirror_backlog_action;
extern char *deltatx_cut_location;
extern int	deltatx_store_connect_timeout;
extern int	deltatx_store_timeout;

/* True when shared_preload_libraries names us, so that workers and shared memory are there. */
extern bool deltatx_is_preloaded(void);

/*
 * Raise ReadOnlyServer on a standby, NotPreloaded without preloading, and
 * refuse parallel workers: every function that writes the catalog calls this
 * first.  function: its SQL name, for the message.
 */
extern void deltatx_require_writable(const char *function);

#endif							/* DELTATX_H */
