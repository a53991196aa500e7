/*-------------------------------------------------------------------------
 *
 * partition.h
 *	  Partition values: what the files of action/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_PARTITION_H
#define DELTATX_PARTITION_H

#include "schema/shape.h"

/* A partition value in its column's type. */
typedef struct PartitionValue
{
	bool		is_null;
	bool		negative;		/* decimal */
	int64		integer;		/* integers, boolean, date (days), timestamps (microseconds) */
	double		real;			/* float, double */
	char	   *text;			/* string, binary; decimal: all digits, without sign and point */
} PartitionValue;

/*
 * Read a value as the protocol writes it; NULL and "" are null.  False: it is
 * none of that type.  What is allocated, is so in the current memory context.
 */
extern bool deltatx_partition_value_parse(const char *text, const DeltaType *type,
										  PartitionValue *value);

/* The same for a value that was accepted before; raises an error if it is none after all. */
extern void deltatx_partition_value_of(const char *text, const DeltaField *column,
									   PartitionValue *value);

/* <0, 0, >0; both of the same type, neither of them null. */
extern int	deltatx_partition_value_compare(const PartitionValue *a, const PartitionValue *b,
											const DeltaType *type);

/* Equality, in which nulls are equal. */
extern bool deltatx_partition_value_equal(const PartitionValue *a, const PartitionValue *b,
										  const DeltaType *type);

/* The same text for equal values, as JSON. */
extern void deltatx_partition_value_append(StringInfo out, const PartitionValue *value,
										   const DeltaType *type);

/*
 * The values' texts, one for every column in the given order; NULL for null,
 * for "" and for columns that the JSON object doesn't name.
 */
extern char **deltatx_partition_texts(const char *partition_values,
									  DeltaField *const *columns, int n_columns);

#endif							/* DELTATX_PARTITION_H */
