/*-------------------------------------------------------------------------
 *
 * stage_files.h
 *	  The file actions of one stage call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STAGE_FILES_H
#define DELTATX_STAGE_FILES_H

#include "catalog/files.h"
#include "txn/session.h"
#include "utils/hsearch.h"

typedef struct StageFiles
{
	StageCall  *call;			/* counts and ordinals are kept here */
	bool		overwrites;		/* the mode removes what is live */
	FileBatch  *adds;
	FileBatch  *removes;
	MemoryContext batch_context;	/* the actions in the two batches */
	MemoryContext call_context; /* all else */
	List	   *renewals;		/* of Renewal *: adds of live paths */
	HTAB	   *removed;		/* of RemovedFile; NULL: none */
} StageFiles;

/*
 * Start to collect for a call, whose constant part is set.  Actions that are
 * taken must be allocated in batch_context, which is reset as batches are
 * inserted.  Everything here is called inside a catalog scope.
 */
extern void deltatx_stage_files_start(StageFiles *files, StageCall *call);

/* Take an add or a remove that has been validated. */
extern void deltatx_stage_files_take(StageFiles *files, Action *action);

/*
 * Insert what is left, and judge what only the whole call tells.  Raises
 * DuplicateFile, FileNotFound, InvalidAction.
 */
extern void deltatx_stage_files_finish(StageFiles *files);

#endif							/* DELTATX_STAGE_FILES_H */
