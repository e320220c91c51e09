/* tests/macos/Security/Security.h - what Apple's documentation declares, as far as we call it
 *
 * For the type check only (make check-macos).  Written from the reference documentation of the Security
 * framework; no header of Apple's is here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <CoreFoundation/CoreFoundation.h>

enum {
	errSecSuccess = 0,
	errSecUserCanceled = -128,
	errSecNotAvailable = -25291,
	errSecAuthFailed = -25293,
	errSecNoSuchKeychain = -25294,
	errSecDuplicateItem = -25299,
	errSecItemNotFound = -25300,
	errSecNoDefaultKeychain = -25307,
	errSecInteractionNotAllowed = -25308,
	errSecInteractionRequired = -25315,
};

extern const CFStringRef kSecClass;
extern const CFStringRef kSecClassGenericPassword;
extern const CFStringRef kSecAttrService;
extern const CFStringRef kSecAttrAccount;
extern const CFStringRef kSecAttrLabel;
extern const CFStringRef kSecAttrComment;
extern const CFStringRef kSecAttrCreationDate;
extern const CFStringRef kSecAttrModificationDate;
extern const CFStringRef kSecValueData;
extern const CFStringRef kSecReturnData;
extern const CFStringRef kSecReturnAttributes;
extern const CFStringRef kSecMatchLimit;
extern const CFStringRef kSecMatchLimitOne;
extern const CFStringRef kSecMatchLimitAll;

OSStatus SecItemCopyMatching(CFDictionaryRef query, CFTypeRef *result);
OSStatus SecItemAdd(CFDictionaryRef attributes, CFTypeRef *result);
OSStatus SecItemUpdate(CFDictionaryRef query, CFDictionaryRef attributesToUpdate);
OSStatus SecItemDelete(CFDictionaryRef query);
CFStringRef SecCopyErrorMessageString(OSStatus status, void *reserved);

typedef struct __SecKeychain *SecKeychainRef;
typedef UInt32 SecKeychainStatus;
enum { kSecUnlockStateStatus = 1 };
OSStatus SecKeychainGetStatus(SecKeychainRef keychain, SecKeychainStatus *keychainStatus)
	__attribute__((deprecated));
OSStatus SecKeychainSetUserInteractionAllowed(Boolean state) __attribute__((deprecated));

typedef UInt32 SecuritySessionId;
typedef UInt32 SessionAttributeBits;
#define callerSecuritySession ((SecuritySessionId)-1)
enum { sessionHasGraphicAccess = 0x0010 };
OSStatus SessionGetInfo(SecuritySessionId session, SecuritySessionId *sessionId,
                        SessionAttributeBits *attributes);
