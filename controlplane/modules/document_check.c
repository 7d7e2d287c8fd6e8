#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "controlplane/modules/document_table.h"

const char *document_check_any(const char *text)
{
	return NULL;
}

const char *document_check_dial_digits(const char *text)
{
	if (strlen(text) > 32 || strspn(text, "0123456789ABCDabcdwW#*") != strlen(text))
		return "at most 32 of 0-9 A-D w W # *";
	return NULL;
}

const char *document_check_keys(const char *text)
{
	return strspn(text, "0123456789ABCD#*") == strlen(text) ? NULL : "of 0-9 A-D # *, or empty";
}

/* Words separated by spaces, each dtmf or speech. */
const char *document_check_input(const char *text)
{
	bool any = false;
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " ");
		if (n && !(n == 4 && !strncmp(p, "dtmf", 4)) && !(n == 6 && !strncmp(p, "speech", 6)))
			return "dtmf, speech or both";
		any |= n != 0;
		p += n + strspn(p + n, " ");
	}
	return any ? NULL : "dtmf, speech or both";
}

/* What the gateway itself says of a call, and signs, no module may say to another account's. A server may
 * take "From[]" for From. */
const char *document_check_parameter(const char *text)
{
	static const char *const own[] = {"CallSid", "AccountSid", "From", "To", "CallStatus", "ApiVersion",
		"Direction", "CallerName", "ModuleCode", "StintIndex", "SipCallId", "ModuleStatus",
		"ModuleDuration", "ErrorCode", "ErrorUrl"};
	size_t n = strcspn(text, "[");
	bool taken = !strncasecmp(text, "SipHeader_", 10);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		taken |= n == strlen(own[i]) && !strncasecmp(text, own[i], n);
	return taken ? "a name that the gateway leaves to modules" : NULL;
}
