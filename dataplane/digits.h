/* Telephone events (RFC 4733): which packet is the first that was seen of a digit. Pure. */
#ifndef TG_DATAPLANE_DIGITS_H
#define TG_DATAPLANE_DIGITS_H

#include <stdint.h>

#include "contract/leg.h"

#define DP_EVENT_BYTES 4

/* payload: at least DP_EVENT_BYTES. Returns the digit in ASCII if this packet begins one, else 0; remembers
 * the event in the row. */
char dp_digit_take(struct tg_ingress *row, const uint8_t *payload, uint32_t ts, uint8_t marker);

enum dp_digit_queued { DP_DIGIT_QUEUED, DP_DIGIT_LOST };
/* Puts a digit where the control plane finds it. taken: what it has taken so far. */
enum dp_digit_queued dp_digit_queue(struct tg_egress *egress, uint32_t taken, char digit);

#endif
