/*-------------------------------------------------------------------------
 *
 * process.c
 *	  What the launcher and the workers have in common as processes.
 *
 * SIGTERM must interrupt whatever they wait for, above all locks: a command
 * that holds the lock may be the one that wants them gone.  So it is handled
 * as in any backend, by die().  That would report a fatal error at every
 * shutdown, though they mostly sleep then; so where nothing is interrupted
 * they just end.  The exit code makes the postmaster start the launcher again,
 * should it have been terminated for itself; workers are started by the
 * launcher.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

#include "compat.h"
#include "mirror/process.h"

static volatile sig_atomic_t terminated = false;

static void terminate(SIGNAL_ARGS);

void
deltatx_process_start(void)
{
	pqsignal(SIGTERM, terminate);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
}

static void
terminate(SIGNAL_ARGS)
{
	terminated = true;
	die(postgres_signal_arg);
}

void
deltatx_process_interrupts(void)
{
	if (terminated)
		proc_exit(1);
	CHECK_FOR_INTERRUPTS();

	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

void
deltatx_process_sleep(long milliseconds, const char *wait_event)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 milliseconds, deltatx_wait_event(wait_event));
	ResetLatch(MyLatch);
}
