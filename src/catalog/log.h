/*-------------------------------------------------------------------------
 *
 * log.h
 *	  The lines of a version's commit file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_LOG_H
#define DELTATX_LOG_H

#include "lib/stringinfo.h"

/* Takes one line; the buffer, without a newline, is the callee's to read until it returns. */
typedef void (*LogSink) (const StringInfo line, void *arg);

/*
 * Hand every line of a committed version to the sink, in the order in which
 * they are published.  The bytes never change: deltatx_log shows them and the
 * worker publishes them, each line followed by a newline.  Memory is bounded
 * by the longest line.  Call inside a catalog scope; the version must exist.
 */
extern void deltatx_log_write(int64 table_id, int64 version, LogSink sink, void *arg);

#endif							/* DELTATX_LOG_H */
