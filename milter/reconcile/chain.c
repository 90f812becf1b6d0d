/*
 * Messages of a log come in; those that are one message under several queue IDs go out tied to
 * each other: what a content filter gives back (A was delivered "queued as B"), what was put
 * back, split, forwarded, returned.  A reply that names an ID is another host's word, so the rest
 * must fit too: that message came in at that moment, from the same sender, and nobody else was
 * delivered as it before.  The thread of who reconciles.
 */
#include "config.h"

#include <string.h>

#include "reconcile_private.h"

static void node_free(void *data)
{
	Node *node = data;
	if (node->into != NULL)
		g_ptr_array_unref(node->into);
	g_free(node);
}

static GHashTable *index_of(const GPtrArray *nodes)
{
	GHashTable *index = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < nodes->len; i++) {
		Node *node = nodes->pdata[i];
		GPtrArray *same = g_hash_table_lookup(index, node->mail->queue_id);
		if (same == NULL) {
			same = g_ptr_array_new();
			g_hash_table_insert(index, node->mail->queue_id, same);
		}
		g_ptr_array_add(same, node);
	}
	return index;
}

static bool same_sender(const MsMail *a, const MsMail *b)
{
	return a->sender == NULL || b->sender == NULL ||
		g_ascii_strcasecmp(a->sender, b->sender) == 0
		/* an alias with an owner has another */
		|| b->came == MS_CAME_INTERNAL;
}

static Node *taken_as(GHashTable *index, const Node *node, const MsDelivered *d)
{
	const GPtrArray *same = g_hash_table_lookup(index, d->next);
	for (guint i = 0; same != NULL && i < same->len; i++) {
		Node *next = same->pdata[i];
		const MsMail *m = next->mail;
		bool then = m->first <= d->at + SLACK && m->first >= node->mail->first - SLACK &&
			m->first >= d->at - 3600 * SECOND;
		if (next != node && then && (next->from == NULL || next->from == node) &&
			same_sender(node->mail, m) && m->came != MS_CAME_BOUNCE)
			return next;
	}
	return NULL;
}

/* What a content filter gives back may come into another instance of this host. */
static bool is_beside(const MsMail *mail, const MsMail *parent)
{
	return mail->instance == parent->instance ||
		(mail->came == MS_CAME_SMTP && strcmp(mail->host, parent->host) == 0);
}

/* The one of that ID, of the same instance, that was there last. */
static Node *parent_of(GHashTable *index, const Node *node)
{
	const GPtrArray *same = g_hash_table_lookup(index, node->mail->parent);
	Node *best = NULL;
	for (guint i = 0; same != NULL && i < same->len; i++) {
		Node *other = same->pdata[i];
		if (other != node && is_beside(node->mail, other->mail) &&
			other->mail->first <= node->mail->first + SLACK)
			best = other;
	}
	return best;
}

/* No message is before itself. */
static bool comes_from(const Node *node, const Node *other)
{
	for (int i = 0; node != NULL && i < 100; node = node->from, i++)
		if (node == other)
			return true;
	return node != NULL;
}

static void tie(Node *node, guint n, Node *next)
{
	if (comes_from(node, next))
		return;
	if (node->into == NULL)
		node->into = g_ptr_array_new();
	if (node->into->len <= n)
		g_ptr_array_set_size(node->into, (gint)n + 1);
	node->into->pdata[n] = next;
	next->from = node;
}

static bool is_to(const MsMail *mail, const char *address)
{
	for (guint i = 0; i < mail->deliveries->len; i++) {
		const MsDelivered *d = mail->deliveries->pdata[i];
		if (g_ascii_strcasecmp(d->to, address) == 0 ||
			(d->orig_to != NULL && g_ascii_strcasecmp(d->orig_to, address) == 0))
			return true;
	}
	return false;
}

/* Who gives it back named it, and the reply that it was delivered with named nothing: of those to
 * whom it went on.  Others may have got it past the filter. */
static void tie_given_back(Node *parent, Node *node)
{
	for (guint i = 0; i < parent->mail->deliveries->len; i++) {
		const MsDelivered *d = parent->mail->deliveries->pdata[i];
		if (d->sent && d->next == NULL && chain_next(parent, i) == NULL &&
			is_to(node->mail, d->to) &&
			ABS(d->at - node->mail->first) < 3600 * SECOND &&
			same_sender(parent->mail, node->mail))
			tie(parent, i, node);
	}
}

/* Did one begin when the other was over?  Times may be in whole seconds. */
static bool is_after(const MsMail *a, const MsMail *b)
{
	return a->first > b->last + SECOND;
}

/* A line is of one message: where an ID was used again within minutes, and one of the two has none,
 * of the nearer one.  What stands in the log twice, in two forms, is one message. */
static void claim(Node *node, GHashTable *by_mail, const Trail *trail)
{
	Judged *judged = node->judged;
	const MsMail *other = judged != NULL ? judged->of : NULL;
	if (judged == NULL)
		return;
	if (other == NULL || other == node->mail) {
		judged->of = node->mail;
	} else if (is_after(node->mail, other) || is_after(other, node->mail)) {
		bool nearer = trail_distance(judged, node->mail) < trail_distance(judged, other);
		Node *loser = nearer ? g_hash_table_lookup(by_mail, other) : node;
		if (nearer)
			judged->of = node->mail;
		loser->judged = trail_find(trail, loser->mail, true);
		if (loser->judged != NULL)
			loser->judged->of = loser->mail;
	}
}

/* What of the trail they are. */
static void find_judged(GPtrArray *nodes, const Trail *trail)
{
	g_autoptr(GHashTable) by_mail = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < nodes->len; i++) {
		Node *node = nodes->pdata[i];
		node->judged = trail_find(trail, node->mail, false);
		g_hash_table_insert(by_mail, node->mail, node);
		claim(node, by_mail, trail);
	}
}

GPtrArray *chain_nodes(const GPtrArray *mails, const Trail *trail)
{
	GPtrArray *nodes = g_ptr_array_new_with_free_func(node_free);
	for (guint i = 0; i < mails->len; i++) {
		Node *node = g_new0(Node, 1);
		node->mail = mails->pdata[i];
		g_ptr_array_add(nodes, node);
	}
	find_judged(nodes, trail);
	g_autoptr(GHashTable) index = index_of(nodes);
	for (guint i = 0; i < nodes->len; i++) {
		Node *node = nodes->pdata[i];
		Node *parent = node->mail->parent != NULL ? parent_of(index, node) : NULL;
		if (parent != NULL && !comes_from(parent, node)) {
			node->from = parent;
			if (node->mail->came == MS_CAME_SMTP)
				tie_given_back(parent, node);
		}
		for (guint k = 0; k < node->mail->deliveries->len; k++) {
			const MsDelivered *d = node->mail->deliveries->pdata[k];
			Node *next = d->next != NULL ? taken_as(index, node, d) : NULL;
			if (next != NULL)
				tie(node, k, next);
		}
	}
	return nodes;
}

Node *chain_next(const Node *node, guint n)
{
	return node->into != NULL && n < node->into->len ? node->into->pdata[n] : NULL;
}
