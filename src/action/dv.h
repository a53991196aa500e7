/*-------------------------------------------------------------------------
 *
 * dv.h
 *	  Deletion vector descriptors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_DV_H
#define DELTATX_DV_H

#include "action/json_reader.h"

typedef struct DeletionVector
{
	char	   *json;			/* as given, compact */
	char	   *id;				/* the protocol's uniqueId */
	int64		cardinality;	/* how many rows it deletes */
} DeletionVector;

/* Read the value of "deletionVector". */
extern void deltatx_dv_read(JsonReader *reader, DeletionVector *dv);

#endif							/* DELTATX_DV_H */
