/*-------------------------------------------------------------------------
 *
 * stage_controls.h
 *	  The control actions of one stage call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STAGE_CONTROLS_H
#define DELTATX_STAGE_CONTROLS_H

#include "txn/session.h"

/*
 * Take a metaData, protocol, txn, domainMetadata or commitInfo that has been
 * validated into the call; copies go to the current memory context.  before:
 * what earlier calls have staged for the table, NULL when nothing.  Raises
 * InvalidAction for a second one of what a commit may hold once.
 */
extern void deltatx_stage_controls_take(StageCall *call, const StagedTable *before,
										const BeginOptions *options, const Action *action,
										const DocumentPlace *place);

#endif							/* DELTATX_STAGE_CONTROLS_H */
