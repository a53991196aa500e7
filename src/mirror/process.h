/*-------------------------------------------------------------------------
 *
 * process.h
 *	  What the launcher and the workers have in common as processes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_PROCESS_H
#define DELTATX_PROCESS_H

/* Install the signal handlers and unblock signals. */
extern void deltatx_process_start(void);

/* Once a loop, before its work and outside of transactions: end if asked to, reload settings. */
extern void deltatx_process_interrupts(void);

/* Sleep until the latch is set, or so many milliseconds. */
extern void deltatx_process_sleep(long milliseconds, const char *wait_event);

#endif							/* DELTATX_PROCESS_H */
