/* Bits of tg_ingress.flags that are the dataplane's own, beside TG_LEG_*. */
#ifndef TG_DATAPLANE_ROW_H
#define TG_DATAPLANE_ROW_H

#define DP_ROW_MUTED   (1u << 2) /* the sink is on hold */
#define DP_ROW_SILENT  (1u << 3) /* the media timeout has struck and nothing came since */
#define DP_ROW_EVENT   (1u << 4) /* last_event_ts is of this stream */
#define DP_ROW_SEEN    (1u << 5) /* ssrc_in, max_seq, transit are of this stream */
#define DP_ROW_LIVE    (1u << 6) /* last_out_* is newer than the sink's egress record */
#define DP_ROW_LATCHED (1u << 7) /* match_* was learnt from a packet */

#endif
