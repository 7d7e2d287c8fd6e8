/* The SIP stack's clock. Of itself it takes the wall clock, and its timers stand still for an hour when that
 * is set back by one; here it is given the monotonic clock. */
#ifndef TG_SIP_SOFIA_CLOCK_H
#define TG_SIP_SOFIA_CLOCK_H

/* For the whole process, before anything of the stack is made. */
void sofia_clock_take(void);

#endif
