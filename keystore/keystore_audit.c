/* keystore/keystore_audit.c - what a keystore writes into its audit log, and when
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/keystore_audit.h"
#include "keystore/keystore_audit_private.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/secret.h"
#include "keystore/crypto.h"

#define PURPOSE "audit"

/* Reading leaves no trace where nothing was ever saved. */
static bool is_wanted(Keystore *store)
{
	return store->options.audit_path && keystore_exists(store);
}

static void derive(GBytes *master, CryptoKey *key)
{
	Span text = { 0 };

	text.data = g_bytes_get_data(master, &text.size);
	crypto_hkdf(text, (Span){ "", 0 }, (Span){ PURPOSE, strlen(PURPOSE) }, key->data,
	            sizeof(key->data));
}

static const char *place_of(const Keystore *store)
{
	return store->back_end ? store->back_end->name : "-";
}

static AuditEvent event_of(const Keystore *store, const char *op, const char *name,
                           const char *result)
{
	return (AuditEvent){ op,    store->options.profile, name, place_of(store), place_of(store),
		             result };
}

static bool append(const Keystore *store, GBytes *master, const AuditEvent *events, guint count,
                   GError **error)
{
	g_auto(CryptoKey) key = { 0 };
	AuditLog log = { .path = store->options.audit_path };

	if (master) {
		derive(master, &key);
		log.key = key.data;
	}
	return audit_append(&log, events, count, false, NULL, error);
}

void keystore_audit_lookup(Keystore *store, const char *const *names, GBytes *const *secrets,
                           guint count, const KeystoreTrail *trail)
{
	g_autofree AuditEvent *events = NULL;
	g_autoptr(GError) cause = NULL;

	if (count == 0 || !is_wanted(store))
		return;
	events = g_new0(AuditEvent, count);
	for (guint i = 0; i < count; i++) {
		const char *result =
			trail->error || secrets[i] ? audit_result(trail->error) : "not-found";

		events[i] = event_of(store, "get", names[i], result);
		if (trail->is_from_environment[i])
			events[i].source = "environment";
	}
	if (!append(store, trail->master, events, count, &cause))
		log_line("audit", "%s", cause->message);
}

void keystore_audit_list(Keystore *store, const GError *error)
{
	BackEndItem item = { .profile = KEYSTORE_PROFILE_OWN, .name = BACK_END_MASTER };
	AuditEvent event = event_of(store, "list", NULL, audit_result(error));
	g_autoptr(GError) cause = NULL;

	if (!is_wanted(store))
		return;
	if (!error)
		(void)store->back_end->read(store->opened, &item, 1, NULL);
	g_autoptr(GBytes) master = item.secret;
	if (!append(store, master, &event, 1, &cause))
		log_line("audit", "%s", cause->message);
}

static const char *op_of(const BackEndChange *change)
{
	if (change->action == BACK_END_NOTE)
		return "note";
	return change->secret ? "set" : "remove";
}

/* Those of the user: what the store keeps for itself is no news. */
static AuditEvent *events_of(const Keystore *store, const GArray *changes, const char *result,
                             guint *count)
{
	AuditEvent *events = g_new0(AuditEvent, changes->len);

	*count = 0;
	for (guint i = 0; i < changes->len; i++) {
		const BackEndChange *change = &g_array_index(changes, BackEndChange, i);

		if (strcmp(change->profile, KEYSTORE_PROFILE_OWN) == 0)
			continue;
		events[*count] = event_of(store, op_of(change), change->name, result);
		events[(*count)++].profile = change->profile;
	}
	return events;
}

void keystore_audit_refusal(Keystore *store, const KeystoreChange *changes, guint count,
                            const GError *error)
{
	g_autoptr(GError) cause = NULL;

	if (!is_wanted(store))
		return;
	g_autofree AuditEvent *events = g_new0(AuditEvent, count);
	for (guint i = 0; i < count; i++)
		events[i] = event_of(store,
		                     changes[i].secret ? "set"
		                     : changes[i].note ? "note"
		                                       : "remove",
		                     changes[i].name, audit_result(error));
	if (!append(store, NULL, events, count, &cause))
		log_line("audit", "%s", cause->message);
}

/* Once a run: a key is worth more than a line about it. */
static void warn(Keystore *store, const GError *cause)
{
	g_autofree char *message = fault_message(cause);
	g_autofree char *line =
		g_strdup_printf("the audit log does not have this change: %s", message);

	log_line("audit", "%s", message);
	if (store->options.warn && !store->has_warned)
		store->options.warn(line, store->options.data);
	store->has_warned = true;
}

/* The lines of @events, on the disk.  Returns: (transfer full) (nullable): the head they end with. */
static GBytes *append_durably(Keystore *store, GBytes *master, GBytes *sealed,
                              const AuditEvent *events, guint count)
{
	g_auto(CryptoKey) key = { 0 };
	AuditLog log = { .path = store->options.audit_path };
	AuditHead head = { 0 };
	g_autoptr(GError) cause = NULL;

	if (sealed)
		log.sealed = audit_head_parse(secret_text(sealed));
	if (master) {
		derive(master, &key);
		log.key = key.data;
	}
	if (!audit_append(&log, events, count, true, &head, &cause)) {
		warn(store, cause);
		return NULL;
	}
	g_autofree char *text = audit_head_print(&head);
	return g_bytes_new(text, strlen(text));
}

GBytes *keystore_audit_begin(Keystore *store, GArray *changes, GBytes *master, GBytes *sealed)
{
	BackEndChange change = { .profile = KEYSTORE_PROFILE_OWN, .name = BACK_END_AUDIT_HEAD };
	guint count = 0;

	/* A first change that fails leaves nothing behind. */
	if (changes->len == 0 || !is_wanted(store))
		return NULL;
	g_autofree AuditEvent *events = events_of(store, changes, "begun", &count);
	GBytes *head = append_durably(store, master, sealed, events, count);
	change.secret = head;
	if (head)
		g_array_append_val(changes, change);
	return head;
}

void keystore_audit_end(Keystore *store, const GArray *changes, GBytes *master, const GError *error)
{
	g_autoptr(GError) cause = NULL;
	guint count = 0;

	if (changes->len == 0 || !is_wanted(store))
		return;
	g_autofree AuditEvent *events = events_of(store, changes, audit_result(error), &count);
	if (!append(store, master, events, count, &cause))
		warn(store, cause);
}

/* @items: the master secret and the head. */
static AuditReport *read_with(const Keystore *store, const BackEndItem *items, GError **error)
{
	g_auto(CryptoKey) key = { 0 };
	AuditLog log = { .path = store->options.audit_path };

	if (items[0].secret) {
		derive(items[0].secret, &key);
		log.key = key.data;
	}
	if (items[1].secret)
		log.sealed = audit_head_parse(secret_text(items[1].secret));
	return audit_read(&log, error);
}

AuditReport *keystore_audit(Keystore *store, GError **error)
{
	BackEndItem items[] = {
		{ .profile = KEYSTORE_PROFILE_OWN, .name = BACK_END_MASTER },
		{ .profile = KEYSTORE_PROFILE_OWN, .name = BACK_END_AUDIT_HEAD },
	};
	g_autoptr(GError) locked = NULL;

	g_return_val_if_fail(store && store->options.audit_path, NULL);

	if (keystore_settle(store, &locked))
		(void)store->back_end->read(store->opened, items, G_N_ELEMENTS(items), &locked);
	AuditReport *report = read_with(store, items, error);
	back_end_items_clear(items, G_N_ELEMENTS(items));
	if (report)
		report->locked = g_steal_pointer(&locked);
	return report;
}
