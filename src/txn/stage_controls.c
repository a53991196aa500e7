/*-------------------------------------------------------------------------
 *
 * stage_controls.c
 *	  The control actions of one stage call.
 *
 * These are few and wait in memory until commit knows their version.  A
 * commit holds each of them at most once: one metaData, one protocol, one txn
 * of an application, one domainMetadata of a domain; else readers would have
 * to choose.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "txn/stage_controls.h"

static void take_txn(StageCall *call, const StagedTable *before, const BeginOptions *options,
					 const TxnAction *given, const DocumentPlace *place);
static void take_domain(StageCall *call, const StagedTable *before, const DomainAction *given,
						const DocumentPlace *place);
static void take_commit_info(CommitInfoAction *info, const CommitInfoAction *given);
static void take_string(char **target, const char *given);

void
deltatx_stage_controls_take(StageCall *call, const StagedTable *before,
							const BeginOptions *options, const Action *action,
							const DocumentPlace *place)
{
	switch (action->kind)
	{
		case ACTION_METADATA:
			if (call->metadata != NULL || (before != NULL && before->sum.metadata != NULL))
				deltatx_refuse(place, NULL, NULL, "a commit holds at most one metaData");
			call->metadata = deltatx_metadata_copy(&action->u.metadata);
			break;
		case ACTION_PROTOCOL:
			if (call->protocol != NULL || (before != NULL && before->sum.protocol != NULL))
				deltatx_refuse(place, NULL, NULL, "a commit holds at most one protocol");
			call->protocol = deltatx_protocol_copy(&action->u.protocol);
			break;
		case ACTION_TXN:
			take_txn(call, before, options, &action->u.txn, place);
			break;
		case ACTION_DOMAIN:
			take_domain(call, before, &action->u.domain, place);
			break;
		case ACTION_COMMIT_INFO:
			take_commit_info(&call->info, &action->u.info);
			break;
		default:
			elog(ERROR, "unexpected kind of action: %d", (int) action->kind);
	}
}

static void
take_txn(StageCall *call, const StagedTable *before, const BeginOptions *options,
		 const TxnAction *given, const DocumentPlace *place)
{
	List	   *others = list_concat_copy(before == NULL ? NIL : before->sum.txns, call->txns);
	TxnAction  *txn = palloc(sizeof(TxnAction));
	ListCell   *cell;

	foreach(cell, others)
		if (strcmp(((TxnAction *) lfirst(cell))->app_id, given->app_id) == 0)
			deltatx_refuse(place, "appId", NULL, "a commit holds at most one txn of an appId");
	if (options->app_id != NULL && strcmp(options->app_id, given->app_id) == 0)
		deltatx_refuse(place, "appId", "Leave it out: deltatx_begin() was given this app_id.",
					   "the txn of this appId is written by deltatx");

	*txn = *given;
	txn->app_id = pstrdup(given->app_id);
	take_string(&txn->extra, given->extra);
	call->txns = lappend(call->txns, txn);
}

static void
take_domain(StageCall *call, const StagedTable *before, const DomainAction *given,
			const DocumentPlace *place)
{
	List	   *others = list_concat_copy(before == NULL ? NIL : before->sum.domains, call->domains);
	DomainAction *domain = palloc(sizeof(DomainAction));
	ListCell   *cell;

	foreach(cell, others)
		if (strcmp(((DomainAction *) lfirst(cell))->domain, given->domain) == 0)
			deltatx_refuse(place, "domain", NULL, "a commit holds at most one domainMetadata of a domain");

	*domain = *given;
	domain->domain = pstrdup(given->domain);
	domain->configuration = pstrdup(given->configuration);
	take_string(&domain->extra, given->extra);
	call->domains = lappend(call->domains, domain);
}

/* Arguments of the call come before what the document says. */
static void
take_commit_info(CommitInfoAction *info, const CommitInfoAction *given)
{
	if (info->operation == NULL)
		take_string(&info->operation, given->operation);
	if (info->operation_parameters == NULL)
		take_string(&info->operation_parameters, given->operation_parameters);
	take_string(&info->operation_metrics, given->operation_metrics);
	take_string(&info->user_metadata, given->user_metadata);
	take_string(&info->tags, given->tags);
}

/* A copy of what was given, if it was. */
static void
take_string(char **target, const char *given)
{
	if (given != NULL)
		*target = pstrdup(given);
}
