/* tests/fuzz_keystore_audit.c - lines of an audit log that anybody may have written
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "keystore/audit_private.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	static const guint8 key[CRYPTO_KEY_BYTES] = { 1 };
	g_autofree char *line = g_strndup((const char *)data, size);
	Span text = { data, size };
	AuditPlace scanned = { 0 };
	AuditPlace parsed = { 0 };

	bool is_scanned = audit_line_scan(line, &scanned);
	g_autoptr(json_t) record = audit_line_parse(text, &parsed);
	if (is_scanned && record) {
		g_assert_cmpuint(scanned.seq, ==, parsed.seq);
		g_assert_cmpuint(scanned.segment, ==, parsed.segment);
		g_assert_cmpuint(scanned.first, ==, parsed.first);
	}
	g_assert_false(record && audit_line_is_genuine(text, key));
	(void)audit_head_parse(line);
	return 0;
}
