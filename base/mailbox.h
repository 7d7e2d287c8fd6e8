/* Messages from any thread to one: a locked list and an eventfd that the reader polls.
 *
 * For control-plane threads; nothing of the dataplane uses it. A message is a struct of the sender's that
 * starts with a mail; ownership goes with it. */
#ifndef TG_BASE_MAILBOX_H
#define TG_BASE_MAILBOX_H

struct mail {
	struct mail *next;
	/* Called by the reader's thread; takes ownership of the message. */
	void (*deliver)(struct mail *mail, void *reader);
};

struct mailbox;

/* Returns 0 and the mailbox, or -errno. */
int mailbox_create(struct mailbox **box);
/* The descriptor that is readable while mail waits. */
int mailbox_fd(const struct mailbox *box);
/* From any thread. Never fails; order per sender is kept. */
void mailbox_post(struct mailbox *box, struct mail *mail);
/* By the reader: delivers everything that was there at the call. Returns the number delivered. */
unsigned mailbox_drain(struct mailbox *box, void *reader);
/* Mail still inside is delivered first, so that nothing leaks. NULL is allowed. */
void mailbox_destroy(struct mailbox *box, void *reader);

#endif
