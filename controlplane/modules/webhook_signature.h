/* The signature of a webhook: base64(HMAC-SHA1(token, text)). Pure. */
#ifndef TG_MODULES_WEBHOOK_SIGNATURE_H
#define TG_MODULES_WEBHOOK_SIGNATURE_H

#include "controlplane/modules/webhook.h"

#define WEBHOOK_SIGNATURE_BYTES 29 /* 28 characters and the end */

/* What is signed: url as the receiver sees it, then every name and value of hook (NULL: none, as for GET),
 * sorted bytewise by name; a repeated name counts once per different value, these sorted too. Returns 0 or
 * -ENOMEM. */
int webhook_sign(const char *url, const struct webhook *hook, const char *auth_token,
	char signature[static WEBHOOK_SIGNATURE_BYTES]);

#endif
