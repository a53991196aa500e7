/*-------------------------------------------------------------------------
 *
 * launcher.h
 *	  Starts a worker in every database that has the extension.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_LAUNCHER_H
#define DELTATX_LAUNCHER_H

/* Register the static background worker; while shared_preload_libraries is processed. */
extern void deltatx_launcher_register(void);

#endif							/* DELTATX_LAUNCHER_H */
