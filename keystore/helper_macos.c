/* keystore/helper_macos.c - in the helper: keys as generic passwords of the login keychain
 *
 * A password of service "slipway/PROFILE", account NAME, with the note as its comment.  An item that is
 * there is changed, never deleted and made again: who may read it stays as the user has said.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <Security/Security.h>
#include <mach-o/dyld.h>
#include <string.h>

#include "base/secret.h"
#include "keystore/body.h"
#include "keystore/helper_private.h"
#include "keystore/note_text.h"

#define SERVICE_PREFIX "slipway/"

/** A CFTypeRef that is released when it goes out of scope. */
typedef CFTypeRef Owned;
static void owned_clear(Owned *owned)
{
	if (*owned)
		CFRelease(*owned);
	*owned = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Owned, owned_clear)

typedef CFMutableDictionaryRef Query;
static void query_clear(Query *query)
{
	if (*query)
		CFRelease(*query);
	*query = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_clear)

char *helper_self_path(void)
{
	char name[4096];
	uint32_t size_bytes = sizeof(name);

	if (_NSGetExecutablePath(name, &size_bytes) != 0)
		g_error("the path of this program is too long");
	return g_canonicalize_filename(name, NULL);
}

static gpointer keyring_open(GError **error G_GNUC_UNUSED)
{
	static int nothing;

	return &nothing;
}

/* For the whole process; no key of a query keeps the file-based keychain from asking. */
static void allow_dialogs(bool may_prompt)
{
	_Pragma("clang diagnostic push")
		_Pragma("clang diagnostic ignored \"-Wdeprecated-declarations\"")(void)
			SecKeychainSetUserInteractionAllowed(may_prompt);
	_Pragma("clang diagnostic pop")
}

/* Returns: (transfer full) (nullable) */
static char *text_of(CFStringRef string)
{
	CFIndex size = string ? CFStringGetMaximumSizeForEncoding(CFStringGetLength(string),
	                                                          kCFStringEncodingUTF8) +
	                                1
	                      : 0;
	g_autofree char *text = string ? g_malloc0((gsize)size) : NULL;

	if (!text || !CFStringGetCString(string, text, size, kCFStringEncodingUTF8))
		return NULL;
	return g_steal_pointer(&text);
}

static KeystoreError code_of(OSStatus status)
{
	switch (status) {
	case errSecInteractionNotAllowed:
	case errSecInteractionRequired:
	case errSecUserCanceled:
		return KEYSTORE_ERROR_LOCKED;
	case errSecAuthFailed:
		return KEYSTORE_ERROR_DENIED;
	default:
		return KEYSTORE_ERROR_UNAVAILABLE;
	}
}

static bool fail(OSStatus status, GError **error)
{
	g_auto(Owned) message = SecCopyErrorMessageString(status, NULL);
	g_autofree char *text = text_of(message);
	KeystoreError code = code_of(status);

	if (status == errSecUserCanceled)
		return keystore_fail(error, code, NULL, "the keychain was not unlocked");
	if (code == KEYSTORE_ERROR_LOCKED)
		return keystore_fail(error, code, NULL,
		                     "the keychain is locked, or wants to ask who may read it");
	return keystore_fail(error, code, NULL, "the keychain cannot be used: %s (%d)",
	                     text ? text : "error", (int)status);
}

static void set_text(CFMutableDictionaryRef query, CFStringRef key, const char *text)
{
	g_auto(Owned) string =
		CFStringCreateWithCString(kCFAllocatorDefault, text, kCFStringEncodingUTF8);

	if (string)
		CFDictionarySetValue(query, key, string);
}

static CFMutableDictionaryRef query_new(void)
{
	return CFDictionaryCreateMutable(kCFAllocatorDefault, 0, &kCFTypeDictionaryKeyCallBacks,
	                                 &kCFTypeDictionaryValueCallBacks);
}

/* The one item of a key. */
static CFMutableDictionaryRef query_for(const char *profile, const char *name)
{
	g_autofree char *service = g_strconcat(SERVICE_PREFIX, profile, NULL);
	CFMutableDictionaryRef query = query_new();

	CFDictionarySetValue(query, kSecClass, kSecClassGenericPassword);
	set_text(query, kSecAttrService, service);
	set_text(query, kSecAttrAccount, name);
	return query;
}

static gint64 time_of(CFDictionaryRef found, CFStringRef key)
{
	CFDateRef date = CFDictionaryGetValue(found, key);

	return date ? (gint64)(CFDateGetAbsoluteTime(date) + kCFAbsoluteTimeIntervalSince1970) : 0;
}

static void note_of(CFDictionaryRef found, KeystoreNote *note)
{
	g_autofree char *text = text_of(CFDictionaryGetValue(found, kSecAttrComment));

	note_from_text(text ? text : "", note);
	if (note->created_s == 0)
		note->created_s = time_of(found, kSecAttrCreationDate);
	if (note->changed_s == 0)
		note->changed_s = time_of(found, kSecAttrModificationDate);
}

static GBytes *secret_of(CFDictionaryRef found)
{
	CFDataRef data = CFDictionaryGetValue(found, kSecValueData);

	return data ? secret_new(CFDataGetBytePtr(data), (gsize)CFDataGetLength(data))
	            : secret_new("", 0);
}

static bool read_item(BackEndItem *item, GError **error)
{
	g_auto(Query) query = query_for(item->profile, item->name);
	g_auto(Owned) found = NULL;

	CFDictionarySetValue(query, kSecReturnData, kCFBooleanTrue);
	CFDictionarySetValue(query, kSecReturnAttributes, kCFBooleanTrue);
	CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitOne);
	OSStatus status = SecItemCopyMatching(query, &found);
	if (status == errSecItemNotFound)
		return true;
	if (status != errSecSuccess)
		return fail(status, error);
	note_of(found, &item->note);
	item->secret = secret_of(found);
	return true;
}

static bool keyring_read(gpointer keyring G_GNUC_UNUSED, bool may_prompt, BackEndItem *items,
                         guint count, GError **error)
{
	allow_dialogs(may_prompt);
	for (guint i = 0; i < count; i++)
		if (!read_item(&items[i], error))
			return false;
	return true;
}

/* What an item is to have; the secret is not copied. */
static CFMutableDictionaryRef attributes_of(const BackEndChange *change)
{
	g_autofree char *note = note_to_text(&change->note);
	CFMutableDictionaryRef attributes = query_new();
	gsize size = 0;
	const UInt8 *secret = change->secret ? g_bytes_get_data(change->secret, &size) : NULL;
	g_auto(Owned) data = secret ? CFDataCreateWithBytesNoCopy(kCFAllocatorDefault, secret,
	                                                          (CFIndex)size, kCFAllocatorNull)
	                            : NULL;

	set_text(attributes, kSecAttrComment, note);
	if (data)
		CFDictionarySetValue(attributes, kSecValueData, data);
	return attributes;
}

static OSStatus add(const BackEndChange *change)
{
	g_autofree char *service = g_strconcat(SERVICE_PREFIX, change->profile, NULL);
	g_autofree char *label = g_strdup_printf("slipway: %s (%s)", change->name, change->profile);
	g_auto(Query) attributes = attributes_of(change);

	CFDictionarySetValue(attributes, kSecClass, kSecClassGenericPassword);
	set_text(attributes, kSecAttrService, service);
	set_text(attributes, kSecAttrAccount, change->name);
	set_text(attributes, kSecAttrLabel, label);
	return SecItemAdd(attributes, NULL);
}

/* Somebody may add it between the two calls, or remove it. */
static OSStatus save(const BackEndChange *change)
{
	g_auto(Query) query = query_for(change->profile, change->name);
	g_auto(Query) attributes = attributes_of(change);
	OSStatus status = SecItemUpdate(query, attributes);

	if (status == errSecItemNotFound)
		status = add(change);
	return status == errSecDuplicateItem ? SecItemUpdate(query, attributes) : status;
}

/* Asks for no secret, so nobody is asked for leave. */
static OSStatus update_note(const BackEndChange *change)
{
	g_auto(Query) query = query_for(change->profile, change->name);
	g_auto(Query) lookup = query_for(change->profile, change->name);
	g_auto(Owned) found = NULL;
	BackEndChange update = { .profile = change->profile, .name = change->name };

	CFDictionarySetValue(lookup, kSecReturnAttributes, kCFBooleanTrue);
	CFDictionarySetValue(lookup, kSecMatchLimit, kSecMatchLimitOne);
	OSStatus status = SecItemCopyMatching(lookup, &found);
	if (status != errSecSuccess)
		return status;
	note_of(found, &update.note);
	memcpy(update.note.origin, change->note.origin, sizeof(update.note.origin));
	update.note.expires_s = change->note.expires_s;
	update.note.verified_s = change->note.verified_s;

	g_auto(Query) attributes = attributes_of(&update);
	return SecItemUpdate(query, attributes);
}

static OSStatus remove_item(const BackEndChange *change)
{
	g_auto(Query) query = query_for(change->profile, change->name);

	return SecItemDelete(query);
}

static bool keyring_change(gpointer keyring G_GNUC_UNUSED, bool may_prompt,
                           const BackEndChange *change, GError **error)
{
	OSStatus status = errSecSuccess;

	allow_dialogs(may_prompt);
	if (change->action == BACK_END_ADD)
		status = add(change);
	else if (change->secret)
		status = save(change);
	else
		status =
			change->action == BACK_END_NOTE ? update_note(change) : remove_item(change);

	if (status == errSecSuccess)
		return true;
	if (status == errSecItemNotFound)
		return back_end_not_found(change->name, error);
	if (status == errSecDuplicateItem)
		return keystore_fail(error, KEYSTORE_ERROR_EXISTS, NULL,
		                     "there is a key named %s already", change->name);
	return fail(status, error);
}

/* Returns: (transfer full) (nullable): the key that an item is, if it is one. */
static KeystoreEntry *entry_of(CFDictionaryRef found)
{
	g_autofree char *service = text_of(CFDictionaryGetValue(found, kSecAttrService));
	g_autofree char *name = text_of(CFDictionaryGetValue(found, kSecAttrAccount));

	if (!name || !service || !g_str_has_prefix(service, SERVICE_PREFIX) ||
	    !body_name_is_valid(name))
		return NULL;
	const char *profile = service + strlen(SERVICE_PREFIX);
	if (!body_profile_is_valid(profile) && strcmp(profile, KEYSTORE_PROFILE_OWN) != 0)
		return NULL;
	KeystoreEntry *entry = g_new0(KeystoreEntry, 1);
	entry->profile = g_strdup(profile);
	entry->name = g_steal_pointer(&name);
	note_of(found, &entry->note);
	return entry;
}

/* What is known of all passwords; of none the secret, which would be a dialog for each. */
static GPtrArray *keyring_list(gpointer keyring G_GNUC_UNUSED, bool may_prompt, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	g_auto(Query) query = query_new();
	g_auto(Owned) found = NULL;

	allow_dialogs(may_prompt);
	CFDictionarySetValue(query, kSecClass, kSecClassGenericPassword);
	CFDictionarySetValue(query, kSecReturnAttributes, kCFBooleanTrue);
	CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitAll);
	OSStatus status = SecItemCopyMatching(query, &found);
	if (status != errSecSuccess && status != errSecItemNotFound) {
		(void)fail(status, error);
		return NULL;
	}
	for (CFIndex i = 0; found && i < CFArrayGetCount(found); i++) {
		KeystoreEntry *entry = entry_of(CFArrayGetValueAtIndex(found, i));

		if (entry)
			g_ptr_array_add(entries, entry);
	}
	return g_steal_pointer(&entries);
}

static KeystoreError keyring_judge(GError *error G_GNUC_UNUSED)
{
	return KEYSTORE_ERROR_UNAVAILABLE;
}

const HelperKeyring helper_keyring = {
	.open = keyring_open,
	.read = keyring_read,
	.change = keyring_change,
	.list = keyring_list,
	.judge = keyring_judge,
};
