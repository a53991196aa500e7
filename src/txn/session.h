/*-------------------------------------------------------------------------
 *
 * session.h
 *	  The open deltatx transaction of this session.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SESSION_H
#define DELTATX_SESSION_H

#include "common/sha2.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "catalog/keys.h"
#include "deltatx.h"

/* No version: a read, an expectation, a head that does not apply. */
#define NO_VERSION	INT64CONST(-1)

typedef enum StageMode
{
	STAGE_ACTIONS,
	STAGE_APPEND,
	STAGE_OVERWRITE,
	STAGE_OVERWRITE_PARTITIONS
} StageMode;

/* What deltatx_begin was told. */
typedef struct BeginOptions
{
	char	   *role_name;		/* who began it: keys are scoped by it */
	int			isolation;		/* IsolationLevel; -1: by table, then by setting */
	int			timeout;		/* milliseconds; -1: by setting */
	char	   *idempotency_key;	/* NULL: none */
	char	   *operation;		/* NULL: none */
	char	   *user_metadata;	/* NULL: none */
	char	   *app_id;			/* NULL: none */
	int64		app_version;
} BeginOptions;

/* What one call staged for one table. */
typedef struct StageCall
{
	/* Constant over all calls for a table. */
	int64		table_id;
	char	   *table_name;
	int64		commit_id;
	bool		terms_open;		/* by deltatx_alter_table: the next call sets these four */
	StageMode	mode;
	int64		read_version;	/* NO_VERSION: not given */
	int64		expected_version;	/* NO_VERSION: not given */
	char	   *partition_filter;	/* JSON; NULL: none */

	/*
	 * Head in the snapshot of this call: its files were checked against the
	 * table as of this version, so commit looks at later ones only.
	 */
	int64		seen_version;

	/* What this call adds to that. */
	int64		adds;
	int64		removes;		/* explicit ones */
	int64		superseded;		/* adds that renew a live file */
	int64		actions;		/* of any kind */
	int64		bytes_added;
	int64		bytes_removed;
	int64		bytes_superseded;	/* of them, by renewals */
	int32		next_add;		/* ordinals after this call */
	int32		next_remove;
	MetadataAction *metadata;	/* NULL: none */
	ProtocolAction *protocol;	/* NULL: none */
	List	   *txns;			/* of TxnAction * */
	List	   *domains;		/* of DomainAction * */
	List	   *enforced;		/* of char * */
	CommitInfoAction info;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];	/* of the content */
} StageCall;

/* All calls for one table, added up. */
typedef struct StagedTable
{
	StageCall	sum;			/* lists joined, the last value of the rest */
	List	   *digests;		/* of uint8 *, in order of the calls */
} StagedTable;

typedef struct DeclaredRead
{
	int64		table_id;
	char	   *table_name;
	int64		version;
} DeclaredRead;

typedef struct OpenTransaction
{
	pg_uuid_t	id;
	BeginOptions options;
	TimestampTz begun_at;
	bool		replayed;		/* its key, or app version, was committed before */
	KeyHolder	replayed_as;	/* by this one */
	int64		actions;		/* staged so far */
	List	   *tables;			/* of StagedTable *, in order of first staging */
	List	   *reads;			/* of DeclaredRead * */
} OpenTransaction;

/* Register the callbacks; once per backend. */
extern void deltatx_session_init(void);

/* The open transaction, or NULL. */
extern OpenTransaction *deltatx_session_current(void);

/* The open transaction; NoTransaction without one, TransactionTooOld past its time. */
extern OpenTransaction *deltatx_session_require(const char *function);

/* The staged table, or NULL. */
extern StagedTable *deltatx_session_table(OpenTransaction *transaction, int64 table_id);

/* commit_ids of everything staged and not committed; an empty array is not NULL. */
extern int	deltatx_session_staged_commits(int64 **commit_ids);

/*
 * Append to the event log, tagged with the current subtransaction.  Arguments
 * are copied.  Call these last, when nothing can fail any more.
 */
extern void deltatx_session_log_begin(const pg_uuid_t *id, const BeginOptions *options,
									  const KeyHolder *replayed_as);
extern void deltatx_session_log_stage(const StageCall *call);
extern void deltatx_session_log_read(const DeclaredRead *read);
extern void deltatx_session_log_end(void);

/* Deep copies into the current memory context. */
extern MetadataAction *deltatx_metadata_copy(const MetadataAction *metadata);
extern ProtocolAction *deltatx_protocol_copy(const ProtocolAction *protocol);

#endif							/* DELTATX_SESSION_H */
