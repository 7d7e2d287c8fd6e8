/* Causes of a release (Q.850) for SIP statuses: RFC 3398, section 8.2.6.1. Pure. */
#ifndef TG_CALLS_CAUSE_H
#define TG_CALLS_CAUSE_H

/* Final status of an INVITE. 2xx: 16, normal clearing. */
int cause_of_status(int status);

#endif
