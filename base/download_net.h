/* base/download_net.h - the connections of a download, and the thread that runs them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/download_flow.h"
#include "base/http_private.h"

/** Most connections at once; browsers have six. */
#define LANES_MAX 4u

/** How a request ended, as far as it was decided before curl said so. */
typedef enum {
	LANE_RUNNING,
	LANE_DONE,      /* what was to be brought is there */
	LANE_NO_RANGES, /* the server does not keep to the range it was asked for */
	LANE_FAILED,    /* for good */
} LaneEnd;

typedef struct Net Net;

/** One connection and its request. */
typedef struct {
	Net *net;
	HttpHandle *handle; /* (nullable): NULL: idle */
	HttpTarget target;
	char *url; /* of this hop */
	guint hops;
	FlowClaim claim;
	guint64 asked_from;
	bool is_ranged;
	bool is_judged; /* the head was looked at, and is good */
	bool is_paused;
	guint64 skip_bytes; /* known already: compared, not taken */
	struct Digest *skipped;
	gsize dropped_bytes;
	LaneEnd end;
	GError *failure; /* (nullable) */
	/* Of the head; (nullable). */
	char *etag, *modified, *content_range, *accept_ranges, *retry_after;
} Lane;

/** The network's side of a download; its thread alone touches it. */
struct Net {
	HttpDownload what; /* strings are the Download's */
	HttpTarget target;
	Flow *flow;
	void *multi; /* CURLM */
	Lane lanes[LANES_MAX];
	guint lane_max;
	guint lane_target;
	char *resolved; /* (nullable): where redirects led to */
	HttpTarget resolved_target;
	/* What the first answer said of the file. */
	bool is_known;
	char *etag, *modified; /* (nullable) */
	bool has_ranges;       /* said, or seen */
	bool may_range;        /* not disproved */
	bool was_exchanged;
	bool is_page; /* it starts like a web page */
	guint tries;
	guint64 tries_at; /* bytes received when they began */
	GError *last;     /* (nullable): why the last try failed */
	gint64 not_before;
	gint64 deadline; /* these are monotonic times, in microseconds */
	gint64 measured_at;
	guint64 arrived_bytes;  /* in any order */
	guint64 measured_bytes; /* of them, by then */
	double single_rate;     /* of one connection, bytes each microsecond */
	bool is_settled;        /* how many connections are best */
	/* Atomic. */
	gint has_room; /* again: who is paused may go on */
	gint is_stopped;
};

/** Starts a request for lane->claim from @url.  Returns: false with an error set. */
bool lane_start(Lane *lane, const char *url, const HttpTarget *target, GError **error);

/** Takes the request off; what it claimed stays claimed. */
void lane_hang_up(Lane *lane);

/** As that, and gives the claim back. */
void lane_stop(Lane *lane);

/** Looks at the head of an answer; called at the first byte of the body, or at its end. */
void lane_judge(Lane *lane);

/** Returns: whether another than the first answer's file is meant by this one. */
bool lane_is_other_file(const Lane *lane, gint64 length);

/** Runs the download to its end: a GThreadFunc.  @data: Net. */
gpointer net_run(gpointer data);
