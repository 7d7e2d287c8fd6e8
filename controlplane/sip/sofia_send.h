/* What the SIP stack sends while there is no way to the far end.
 *
 * With the cable unplugged the kernel refuses a datagram at once, for want of a route, and the stack takes
 * that for the end of the transaction: a CANCEL, a BYE, an answer of that moment is never sent again. A
 * datagram that is lost on the way is what its timers are made for (RFC 3261 17): so that is what it is told.
 */
#ifndef TG_SIP_SOFIA_SEND_H
#define TG_SIP_SOFIA_SEND_H

#include <stdint.h>

/* Datagrams that had no way, in this process. Also: whoever calls it has the program's sendmsg() instead of
 * the C library's. */
uint64_t sofia_send_lost(void);

#endif
