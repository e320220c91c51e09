/* keystore/bytes.h - little-endian numbers in unaligned bytes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <string.h>

/** Returns: the number in the @size bytes at @at. */
static inline guint64 bytes_load(const guint8 *at, guint size)
{
	guint64 value = 0;

	for (guint i = size; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

/** Writes @value into @size bytes.  Returns: the place behind them. */
static inline guint8 *bytes_store(guint8 *at, guint64 value, guint size)
{
	for (guint i = 0; i < size; i++, value >>= 8)
		*at++ = (guint8)value;
	return at;
}

/** Copies @size bytes.  Returns: the place behind them. */
static inline guint8 *bytes_put(guint8 *at, const void *data, gsize size)
{
	memcpy(at, data, size);
	return at + size;
}
